"""Networks as scikit-learn estimators (extra ``sklearn``): change one import and keep the script.

    from minilayer.estimators import MLPClassifier  # was: from sklearn.neural_network import ...

Parameters, attributes and methods are those of scikit-learn's classes of the same names. Only
``solver`` has another default, "lbfgs". With "adam" or "sgd" and the same ``random_state``, the
weights are scikit-learn's up to rounding. README.md beside this file lists what is more and what
is not there.

Examples
--------
>>> from sklearn.datasets import load_iris
>>> from sklearn.model_selection import cross_val_score
>>> X, y = load_iris(return_X_y=True)
>>> network = MLPClassifier(activation="tanh", alpha=1.0, standardize=True, random_state=0)
>>> bool(cross_val_score(network, X, y).mean() > 0.93)
True
>>> network.fit(X, y).predict(X[:3]), network.model_
(array([0, 0, 0]), Sequential([Standardize(4 columns), Dense(4, 100), Tanh(), Dense(100, 3), \
Softmax()]))
"""

from ..utils.extras import require

require("sklearn", "sklearn")

from .classifier import MLPClassifier  # noqa: E402  # after the check that it can be imported
from .regressor import MLPRegressor  # noqa: E402

__all__ = ["MLPClassifier", "MLPRegressor"]
