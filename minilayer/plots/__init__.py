"""Pictures of data, networks and runs (extra ``plots``: matplotlib).

Each function draws into one Axes and returns it; ``save_figures`` makes files of several drawings.
"""

from .axes import save_figures
from .images import confident_mistakes, digit_grid, hidden_units
from .network import decision_surface, network_diagram
from .results import confusion_heatmap, cost_comparison, cost_curve

__all__ = [
    "confident_mistakes",
    "confusion_heatmap",
    "cost_comparison",
    "cost_curve",
    "decision_surface",
    "digit_grid",
    "hidden_units",
    "network_diagram",
    "save_figures",
]
