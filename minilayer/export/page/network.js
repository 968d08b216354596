"use strict";

// The network: each layer is a function of one row of float64 numbers.

const sigmoid = (x) => 1 / (1 + Math.exp(-x));

// The tanh form of GELU is x s(w), with w = LINEAR x + CUBIC x**3.
const LINEAR = Math.sqrt(8 / Math.PI);
const CUBIC = 0.044715 * LINEAR;

const ELEMENTWISE = {
  Identity: (x) => x,
  Sigmoid: sigmoid,
  Tanh: Math.tanh,
  ReLU: (x) => Math.max(x, 0),
  LeakyReLU: (x, layer) => (x > 0 ? x : layer.slope * x),
  ELU: (x, layer) => (x > 0 ? x : layer.alpha * Math.expm1(x)),
  Softplus: (x) => Math.log1p(Math.exp(-Math.abs(x))) + Math.max(x, 0),
  SiLU: (x) => x / (1 + Math.exp(-x)),
  GELU: (x) => x / (1 + Math.exp(-x * (LINEAR + CUBIC * x * x))),
  Sin: Math.sin,
  Exp: Math.exp,
  Standardize: (x, layer, column) => (x - layer.mean[column]) / layer.scale[column],
  Rescale: (x, layer, column) => x * layer.scale[column] + layer.mean[column],
};

function dense(row, layer) {
  const result = new Float64Array(layer.units);
  const width = layer.inputs + (layer.bias ? 1 : 0); // theta has the bias in column 0
  for (let unit = 0; unit < layer.units; unit += 1) {
    const end = (unit + 1) * width;
    let sum = layer.bias ? layer.theta[unit * width] : 0;
    for (let column = 0; column < layer.inputs; column += 1) {
      sum += layer.theta[end - layer.inputs + column] * row[column];
    }
    result[unit] = sum;
  }
  return result;
}

function softmax(row) {
  const largest = row.reduce((a, b) => Math.max(a, b));
  const powers = row.map((x) => Math.exp(x - largest)); // at most 1: no overflow
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((x) => x / sum);
}

function layerOutput(row, layer) {
  if (layer.type === "Dense") return dense(row, layer);
  if (layer.type === "Softmax") return softmax(row);
  const f = ELEMENTWISE[layer.type];
  return row.map((x, column) => f(x, layer, column));
}

// Returns the output of each layer; the last one is the prediction.
function forward(layers, row) {
  const outputs = [];
  for (const layer of layers) {
    outputs.push(layerOutput(outputs.length ? outputs.at(-1) : row, layer));
  }
  return outputs;
}

// Arrays are stored as base64 of little-endian float64.
function decodeArray(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Float64Array.from({ length: bytes.length / 8 }, (_, k) => view.getFloat64(8 * k, true));
}
