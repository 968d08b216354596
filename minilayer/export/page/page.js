// The page: what the user draws or chooses goes through the network, and all parts show it.

const element = (id) => document.getElementById(id);
const data = JSON.parse(element("data").textContent);
const { image, outputs } = data;
const layers = data.layers.map(withArrays);
const paper = element("paper");

const PAPER = [247, 245, 240];
const INK = [28, 35, 51];
const UNIT_LOW = [16, 12, 10]; // negative weights
const UNIT_ZERO = [124, 98, 68];
const UNIT_HIGH = [255, 224, 150]; // positive weights
const BOUNDED = new Set(["Sigmoid", "Tanh", "Sin", "Softmax"]); // outputs from -1 or 0 to 1
const LONG_NAME = 3; // letters: a longer name is written smaller

function withArrays(layer) {
  const arrays = Object.entries(layer).map(([name, value]) => [
    name,
    name === "type" || typeof value !== "string" ? value : decodeArray(value),
  ]);
  return Object.fromEntries(arrays);
}

// Pictures

// Returns where pixel (row, column) stands in a row of the data.
const place = (row, column) =>
  image.order === "column" ? column * image.height + row : row * image.width + column;

function dataRow(shares) {
  const row = new Float64Array(shares.length);
  shares.forEach((share, k) => {
    const pixel = place(Math.floor(k / image.width), k % image.width);
    row[pixel] = image.background + share * (image.ink - image.background);
  });
  return row;
}

const mix = (from, to, share) => from.map((value, k) => value + share * (to[k] - value));

// Paints one number for each pixel of a data row; `colour` makes [red, green, blue] of a number.
function paint(canvas, row, colour) {
  canvas.width = image.width;
  canvas.height = image.height;
  const picture = new ImageData(image.width, image.height);
  for (let k = 0; k < row.length; k += 1) {
    const value = row[place(Math.floor(k / image.width), k % image.width)];
    picture.data.set([...colour(value), 255], 4 * k);
  }
  canvas.getContext("2d").putImageData(picture, 0, 0);
}

function greyOf(value) {
  const share = (value - image.background) / (image.ink - image.background);
  return mix(PAPER, INK, Math.min(Math.max(share, 0), 1));
}

const weightColour = (share) =>
  share < 0 ? mix(UNIT_ZERO, UNIT_LOW, -share) : mix(UNIT_ZERO, UNIT_HIGH, share);

// The drawing: a list of strokes, or the number of an example

const EMPTY = { strokes: [], example: null };
const past = [];
const openStrokes = new Map(); // by pointer: several fingers draw at once
let drawing = EMPTY;

function change(next) {
  past.push(drawing);
  drawing = next;
  refresh();
}

function undo() {
  if (past.length && openStrokes.size === 0) {
    drawing = past.pop();
    refresh();
  }
}

function clear() {
  openStrokes.clear();
  if (drawing !== EMPTY) change(EMPTY);
}

function currentRow() {
  if (drawing.example !== null) return examples[drawing.example].row;
  return drawing.strokes.length ? dataRow(normalizedPicture(drawing.strokes, image)) : null;
}

function pointOf(event) {
  const frame = paper.getBoundingClientRect();
  return {
    x: ((event.clientX - frame.left) / frame.width) * image.width,
    y: ((event.clientY - frame.top) / frame.height) * image.height,
  };
}

const isOnPaper = ({ x, y }) => x >= 0 && x <= image.width && y >= 0 && y <= image.height;

function startStroke(event) {
  if (event.button !== 0) return;
  event.preventDefault();
  paper.setPointerCapture(event.pointerId);
  const stroke = [pointOf(event)];
  openStrokes.set(event.pointerId, stroke);
  change({ strokes: [...drawing.strokes, stroke], example: null });
}

function continueStroke(event) {
  const stroke = openStrokes.get(event.pointerId);
  if (!stroke) return;
  const events = event.getCoalescedEvents?.() ?? [];
  stroke.push(...(events.length ? events : [event]).map(pointOf).filter(isOnPaper));
  refresh();
}

const endStroke = (event) => openStrokes.delete(event.pointerId);

function paintPaper() {
  const ratio = window.devicePixelRatio;
  paper.width = Math.round(paper.clientWidth * ratio);
  paper.height = Math.round(paper.clientHeight * ratio);
  const context = paper.getContext("2d");
  context.scale(paper.width / image.width, paper.height / image.height);
  if (drawing.example !== null) {
    context.imageSmoothingEnabled = false;
    context.drawImage(examples[drawing.example].canvas, 0, 0);
    return;
  }
  context.lineWidth = penWidth(image);
  context.lineCap = "round";
  context.lineJoin = "round";
  context.strokeStyle = `rgb(${INK})`;
  for (const stroke of drawing.strokes) {
    context.beginPath();
    context.moveTo(stroke[0].x, stroke[0].y);
    for (const { x, y } of stroke) context.lineTo(x, y);
    context.stroke();
  }
}

// What the network makes of it

function refresh() {
  const row = currentRow();
  const steps = row && forward(layers, row);
  paintPaper();
  element("hint").hidden = row !== null;
  element("undo").disabled = past.length === 0;
  element("clear").disabled = row === null;
  examples.forEach(({ button }, k) => {
    button.setAttribute("aria-pressed", String(k === drawing.example));
  });
  paint(element("seen"), row ?? emptyRow, greyOf);
  showOutputs(steps?.at(-1) ?? null);
  showUnits(steps);
}

// One sigmoid output is the probability of the second of two classes.
const scoresOf = (output) =>
  outputs.names.length === 2 && output.length === 1 ? [1 - output[0], output[0]] : [...output];

function formatted(value) {
  if (!outputs.are_probabilities) return Number(value.toPrecision(4)).toString();
  return `${(100 * value).toFixed(1)} %`;
}

function showOutputs(output) {
  const scores = output && scoresOf(output);
  const largest = scores && Math.max(...scores.map(Math.abs));
  const highest = scores && scores.length > 1 ? scores.indexOf(Math.max(...scores)) : null;
  bars.forEach(({ item, bar, value }, k) => {
    const length = outputs.are_probabilities ? scores?.[k] : Math.abs(scores?.[k]) / largest;
    bar.style.width = `${100 * (length || 0)}%`;
    value.textContent = scores ? formatted(scores[k]) : "";
    item.classList.toggle("highest", k === highest);
  });
  showVerdict(scores, highest);
}

function showVerdict(scores, highest) {
  const verdict = element("verdict");
  verdict.replaceChildren();
  if (!scores) return;
  const main = verdict.appendChild(document.createElement("strong"));
  main.textContent = highest === null ? formatted(scores[0]) : outputs.names[highest];
  main.classList.toggle("long", main.textContent.length > LONG_NAME);
  const lines = highest === null ? [] : [formatted(scores[highest])];
  const label = drawing.example === null ? null : examples[drawing.example].label;
  if (label !== null) lines.push(`the example is ${label}`);
  for (const line of lines) verdict.appendChild(document.createElement("span")).textContent = line;
}

// The units of the first Dense layer: each tile shows the weights, its light is the activation

const first = layers.findIndex((layer) => layer.type === "Dense");
const litBy = ["Dense", "Standardize", "Rescale"].includes(layers[first + 1]?.type ?? "Dense")
  ? first
  : first + 1;

function showUnits(steps) {
  const activations = [...(steps?.[litBy] ?? [])].map(Math.abs);
  const largest = BOUNDED.has(layers[litBy].type) ? 1 : Math.max(...activations, 1e-300);
  tiles.forEach((tile, unit) => {
    const light = (activations[unit] ?? 0) / largest;
    tile.style.setProperty("--light", light.toFixed(4));
    tile.title = steps ? `unit ${unit + 1}: ${steps[litBy][unit].toPrecision(3)}` : "";
  });
}

function makeTile(unit) {
  const { theta, inputs } = layers[first];
  const width = theta.length / layers[first].units;
  const weights = theta.slice((unit + 1) * width - inputs, (unit + 1) * width);
  const largest = weights.reduce((a, b) => Math.max(a, Math.abs(b)), 1e-300);
  const tile = document.createElement("canvas");
  tile.setAttribute("role", "img");
  tile.setAttribute("aria-label", `weights of unit ${unit + 1}`);
  paint(tile, weights, (weight) => weightColour(weight / largest));
  return element("units").appendChild(tile);
}

function makeBar(name) {
  const item = element("outputs").appendChild(document.createElement("li"));
  const part = (parent, kind) => {
    const made = parent.appendChild(document.createElement("div"));
    made.className = kind;
    return made;
  };
  part(item, "name").textContent = name;
  const bar = part(part(item, "track"), "bar");
  return { item, bar, value: part(item, "value") };
}

function makeExample(row, number) {
  const label = data.labels === null ? null : outputs.names[data.labels[number]];
  const button = element("examples").appendChild(document.createElement("button"));
  const name = `example ${number + 1}`;
  button.type = "button";
  button.setAttribute("aria-label", label === null ? name : `${name}: ${label}`);
  button.addEventListener("click", () => change({ strokes: [], example: number }));
  const canvas = button.appendChild(document.createElement("canvas"));
  paint(canvas, row, greyOf);
  return { row, label, button, canvas };
}

function rowsOf(numbers, width) {
  const count = numbers.length / width;
  return Array.from({ length: count }, (_, k) => numbers.slice(k * width, (k + 1) * width));
}

const pixels = image.width * image.height;
const emptyRow = new Float64Array(pixels).fill(image.background);
const examples = rowsOf(decodeArray(data.examples), pixels).map(makeExample);
const bars = outputs.names.map(makeBar);
const tiles = Array.from({ length: data.tiles }, (_, unit) => makeTile(unit));

element("examples-part").hidden = examples.length === 0;
element("seen-size").textContent = `${image.height} × ${image.width} pixels`;
element("units-heading").textContent = data.units_heading;
element("units").style.gridTemplateColumns =
  `repeat(${Math.ceil(Math.sqrt(tiles.length))}, minmax(0, 1fr))`;
paper.style.aspectRatio = `${image.width} / ${image.height}`;

paper.addEventListener("pointerdown", startStroke);
paper.addEventListener("pointermove", continueStroke);
paper.addEventListener("pointerup", endStroke);
paper.addEventListener("pointercancel", endStroke);
element("undo").addEventListener("click", undo);
element("clear").addEventListener("click", clear);
document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() === "z" && (event.ctrlKey || event.metaKey)) undo();
});
new ResizeObserver(paintPaper).observe(paper);
refresh();
