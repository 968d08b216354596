// The picture that the network sees: strokes are lines through points {x, y} in pixels of the
// picture, and each pixel becomes the share of it that ink covers.

const SUBPIXELS = 6; // along a side of a pixel
const MAX_SCALE = 10; // a dot stays a dot
const CENTRE = 14.5 / 28; // of mass, as a share of the side: MNIST puts it on pixel 14 of 0..27

// Scales the strokes to the box and centres them by their centre of mass, as MNIST does.
function normalizedPicture(strokes, image) {
  const { width, height, box } = image;
  const pen = penWidth(image);
  const { left, right, top, bottom } = boundsOf(strokes);
  const scale = Math.min(
    (box * width - pen) / (right - left),
    (box * height - pen) / (bottom - top),
    MAX_SCALE,
  );
  const place = (x, y) =>
    strokes.map((stroke) =>
      stroke.map((point) => ({
        x: x + scale * (point.x - (left + right) / 2),
        y: y + scale * (point.y - (top + bottom) / 2),
      })),
    );
  const centred = inkShares(place(width / 2, height / 2), image);
  const mass = centreOfMass(centred, image);
  const halfWidth = (scale * (right - left) + pen) / 2;
  const halfHeight = (scale * (bottom - top) + pen) / 2;
  const x = shifted(width, CENTRE * width - mass.x, halfWidth);
  const y = shifted(height, CENTRE * height - mass.y, halfHeight);
  return inkShares(place(x, y), image);
}

const penWidth = (image) => image.stroke * Math.min(image.width, image.height);

// Returns the middle of a side, moved as far as the ink stays inside.
function shifted(side, shift, half) {
  const room = Math.max(0, side / 2 - half);
  return side / 2 + Math.min(Math.max(shift, -room), room);
}

function boundsOf(strokes) {
  const bounds = { left: Infinity, right: -Infinity, top: Infinity, bottom: -Infinity };
  for (const { x, y } of strokes.flat()) {
    bounds.left = Math.min(bounds.left, x);
    bounds.right = Math.max(bounds.right, x);
    bounds.top = Math.min(bounds.top, y);
    bounds.bottom = Math.max(bounds.bottom, y);
  }
  return bounds;
}

function centreOfMass(shares, { width }) {
  let mass = 0;
  let x = 0;
  let y = 0;
  shares.forEach((share, k) => {
    mass += share;
    x += share * ((k % width) + 0.5);
    y += share * (Math.floor(k / width) + 0.5);
  });
  return { x: x / mass, y: y / mass };
}

// Returns the share of ink of each pixel, row by row.
function inkShares(strokes, image) {
  const fine = { width: SUBPIXELS * image.width, height: SUBPIXELS * image.height };
  const ink = new Float64Array(fine.width * fine.height);
  const enlarge = ({ x, y }) => ({ x: SUBPIXELS * x, y: SUBPIXELS * y });
  for (const stroke of strokes) {
    stroke.forEach((point, k) => {
      const from = enlarge(stroke[Math.max(0, k - 1)]);
      drawLine(ink, fine, from, enlarge(point), (SUBPIXELS * penWidth(image)) / 2);
    });
  }
  const shares = new Float64Array(image.width * image.height);
  ink.forEach((value, k) => {
    const row = Math.floor(Math.floor(k / fine.width) / SUBPIXELS);
    const column = Math.floor((k % fine.width) / SUBPIXELS);
    shares[row * image.width + column] += value / SUBPIXELS ** 2;
  });
  return shares;
}

// Inks the points that are at most `radius` away from the line between two points.
function drawLine(ink, { width, height }, from, to, radius) {
  const reach = radius + 1;
  const firstColumn = Math.max(0, Math.floor(Math.min(from.x, to.x) - reach));
  const lastColumn = Math.min(width - 1, Math.ceil(Math.max(from.x, to.x) + reach));
  const firstRow = Math.max(0, Math.floor(Math.min(from.y, to.y) - reach));
  const lastRow = Math.min(height - 1, Math.ceil(Math.max(from.y, to.y) + reach));
  for (let row = firstRow; row <= lastRow; row += 1) {
    for (let column = firstColumn; column <= lastColumn; column += 1) {
      const distance = distanceToLine(column + 0.5, row + 0.5, from, to);
      const share = Math.min(Math.max(radius - distance + 0.5, 0), 1); // a soft edge
      const k = row * width + column;
      ink[k] = Math.max(ink[k], share);
    }
  }
}

function distanceToLine(x, y, from, to) {
  const dx = to.x - from.x;
  const dy = to.y - from.y;
  const length2 = dx * dx + dy * dy;
  const along = length2 ? ((x - from.x) * dx + (y - from.y) * dy) / length2 : 0;
  const t = Math.min(Math.max(along, 0), 1);
  return Math.hypot(x - from.x - t * dx, y - from.y - t * dy);
}
