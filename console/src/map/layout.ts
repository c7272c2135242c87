/// Where each device stands on the city map: a pure function of the districts and the room there is.
///
/// The city is one field of hexagons cut into districts by a power diagram, so neighbouring districts touch and each
/// has exactly as many cells as it needs. Positions depend on the names and sizes of the districts alone: a change of
/// health never moves anything.

export interface DistrictSize {
  readonly name: string;
  readonly cells: number;
  /// Room for the name plate, in pixels: no device stands under it.
  readonly plate: { readonly width: number; readonly height: number };
}

export interface Cell {
  readonly x: number;
  readonly y: number;
  readonly column: number;
  readonly row: number;
}

export interface DistrictPlan {
  readonly name: string;
  /// In drawing order; the first `cells` of them are used.
  readonly cells: readonly Cell[];
  /// The middle of the name plate.
  readonly x: number;
  readonly y: number;
}

export interface CityPlan {
  readonly radius: number;
  readonly width: number;
  readonly height: number;
  readonly districts: readonly DistrictPlan[];
}

const SQRT3 = Math.sqrt(3);
const ROUNDS = 60;
/// How far districts are drawn apart, as a share of their distance from the middle: the streets between them.
const APART = 0.035;
/// Room at the rim for the frame of an isolated device, in pixels.
const RIM = 10;

interface Spot extends Cell {
  owner: number;
}

/// Plans the city into a width, at most `maxHeight` high.
export function planCity(districts: readonly DistrictSize[], outerWidth: number, outerHeight: number): CityPlan {
  const width = (outerWidth - 2 * RIM) / (1 + APART);
  const maxHeight = (outerHeight - 2 * RIM) / (1 + APART);
  const present = districts.filter((d) => d.cells > 0);
  const devices = present.reduce((sum, d) => sum + d.cells, 0);
  if (devices === 0 || width <= 0 || maxHeight <= 0) {
    return { radius: 0, width: outerWidth, height: 0, districts: [] };
  }
  // 1. The largest hexagon with which all cells and name plates fit, not larger than a finger needs.
  const plates = present.reduce((sum, d) => sum + d.plate.width * d.plate.height, 0);
  const radius = Math.min(15, fittingRadius(devices, width, maxHeight, plates));
  const wanted = present.map((d) => ({ ...d, devices: d.cells, cells: d.cells + plateCells(d, radius) }));
  const total = wanted.reduce((sum, d) => sum + d.cells, 0);
  const field = hexField(total, width, maxHeight, radius);

  // 2. Seeds on a spiral from the middle, biggest district first, so that the layout is stable for a given city.
  const order = wanted.map((d, i) => ({ i, cells: d.cells, name: d.name })).sort((a, b) => b.cells - a.cells || (a.name < b.name ? -1 : 1));
  const middleX = field.width / 2;
  const middleY = field.height / 2;
  const seeds = wanted.map(() => ({ x: middleX, y: middleY, weight: 0 }));
  order.forEach((d, place) => {
    const seed = seeds[d.i];
    if (!seed) return;
    if (order.length === 1) return;
    const inMiddle = order.length > 4 ? 1 : 0;
    const onRing = place < inMiddle ? 0 : 1;
    const turn = ((place - inMiddle) / (order.length - inMiddle)) * 2 * Math.PI - Math.PI / 2 + 0.35;
    seed.x = middleX + onRing * Math.cos(turn) * field.width * 0.33;
    seed.y = middleY + onRing * Math.sin(turn) * field.height * 0.33;
  });

  // 3. Power diagram with capacities: raise the weight of districts that are short, lower the others; then move the
  //    seeds to the middle of what they got.
  const counts = new Array<number>(wanted.length).fill(0);
  const share = field.cells.length / total;
  for (let round = 0; round < ROUNDS; round++) {
    assign(field.cells, seeds, counts);
    const step = (radius * radius * 40) / (1 + round * 0.12);
    let worst = 0;
    seeds.forEach((seed, i) => {
      const target = (wanted[i]?.cells ?? 0) * share;
      const off = (target - (counts[i] ?? 0)) / Math.max(target, 1);
      worst = Math.max(worst, Math.abs(off));
      seed.weight += off * step * Math.sqrt(target) * 0.35;
    });
    if (round < ROUNDS * 0.6 && round % 3 === 2) centre(field.cells, seeds);
    if (worst < 0.01 && round > ROUNDS / 2) break;
  }
  assign(field.cells, seeds, counts);
  settle(field.cells, wanted, seeds, counts);

  // 4. Cells of a district in order of rows, so that devices with neighbouring ids stand together; and the whole
  //    district moved outwards, so that streets open between them.
  const plans = wanted.map((district, i) => {
    const own = field.cells.filter((cell) => cell.owner === i);
    const x = own.reduce((sum, c) => sum + c.x, 0) / Math.max(own.length, 1);
    const y = own.reduce((sum, c) => sum + c.y, 0) / Math.max(own.length, 1);
    const shiftX = RIM + (width * APART) / 2 + (x - middleX) * APART * 1.6;
    const shiftY = RIM + (field.height * APART) / 2 + (y - middleY) * APART * 1.6;
    // Cells under the name plate and surplus ones, those farthest from the middle, stay empty.
    const used = own
      .map((cell) => ({ cell, far: underPlate(cell, x, y, district.plate, radius) ? Infinity : distance(cell, x, y) }))
      .sort((a, b) => a.far - b.far)
      .slice(0, district.devices)
      .map(({ cell }) => cell)
      .sort((a, b) => a.row - b.row || a.column - b.column)
      .map(({ column, row, x: cx, y: cy }) => ({ column, row, x: cx + shiftX, y: cy + shiftY }));
    return { name: district.name, cells: used, x: x + shiftX, y: y + shiftY };
  });
  return { radius, width: outerWidth, height: field.height * (1 + APART) + 2 * RIM, districts: plans };
}

function fittingRadius(devices: number, width: number, maxHeight: number, plates: number): number {
  // Each hexagon covers (3 sqrt3 / 2) r^2; a little is lost at the edges.
  let radius = Math.sqrt(Math.max(width * maxHeight - plates, 1) / (devices * 1.06 * 1.5 * SQRT3));
  const needed = (r: number) => (devices + (plates * 1.5) / (1.5 * SQRT3 * r * r)) * 1.03;
  while (radius > 1 && capacity(width, maxHeight, radius) < needed(radius)) radius *= 0.985;
  return radius;
}

function plateCells(district: DistrictSize, radius: number): number {
  const { width, height } = district.plate;
  return Math.ceil(((width + radius) * (height + radius)) / (1.5 * SQRT3 * radius * radius));
}

function underPlate(cell: Cell, x: number, y: number, plate: DistrictSize["plate"], radius: number): boolean {
  return Math.abs(cell.x - x) < plate.width / 2 + radius * 0.6 && Math.abs(cell.y - y) < plate.height / 2 + radius * 0.6;
}

function capacity(width: number, height: number, radius: number): number {
  const columns = Math.floor((width - radius * SQRT3 * 0.5) / (radius * SQRT3));
  const rows = Math.floor((height - radius * 0.5) / (radius * 1.5));
  return Math.max(columns, 0) * Math.max(rows, 0);
}

function hexField(total: number, width: number, maxHeight: number, radius: number) {
  const stepX = radius * SQRT3;
  const stepY = radius * 1.5;
  const columns = Math.max(1, Math.floor((width - stepX * 0.5) / stepX));
  const rows = Math.max(1, Math.min(Math.ceil((total * 1.03) / columns), Math.floor((maxHeight - radius * 0.5) / stepY)));
  const cells: Spot[] = [];
  const left = (width - (columns + 0.5) * stepX) / 2;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      cells.push({
        column,
        row,
        x: left + (column + 0.5 + (row % 2) * 0.5) * stepX,
        y: radius + row * stepY,
        owner: 0,
      });
    }
  }
  return { cells, width, height: rows * stepY + radius * 0.5 };
}

interface Seed {
  x: number;
  y: number;
  weight: number;
}

function assign(cells: readonly Spot[], seeds: readonly Seed[], counts: number[]): void {
  counts.fill(0);
  for (const cell of cells) {
    let best = 0;
    let least = Infinity;
    for (let i = 0; i < seeds.length; i++) {
      const seed = seeds[i];
      if (!seed) continue;
      const power = (cell.x - seed.x) ** 2 + (cell.y - seed.y) ** 2 - seed.weight;
      if (power < least) {
        least = power;
        best = i;
      }
    }
    cell.owner = best;
    counts[best] = (counts[best] ?? 0) + 1;
  }
}

function centre(cells: readonly Spot[], seeds: readonly Seed[]): void {
  const sums = seeds.map(() => ({ x: 0, y: 0, n: 0 }));
  for (const cell of cells) {
    const sum = sums[cell.owner];
    if (sum) {
      sum.x += cell.x;
      sum.y += cell.y;
      sum.n++;
    }
  }
  seeds.forEach((seed, i) => {
    const sum = sums[i];
    if (sum && sum.n > 0) {
      seed.x = sum.x / sum.n;
      seed.y = sum.y / sum.n;
    }
  });
}

/// What the weights could not divide exactly is moved cell by cell: a short district takes the nearest cell of a
/// district that has one to spare.
function settle(cells: readonly Spot[], wanted: readonly DistrictSize[], seeds: readonly Seed[], counts: number[]): void {
  for (let short = 0; short < wanted.length; short++) {
    let need = (wanted[short]?.cells ?? 0) - (counts[short] ?? 0);
    const seed = seeds[short];
    if (need <= 0 || !seed) continue;
    const near = cells.filter((c) => c.owner !== short).sort((a, b) => distance(a, seed.x, seed.y) - distance(b, seed.x, seed.y));
    for (const cell of near) {
      if (need === 0) break;
      const spare = (counts[cell.owner] ?? 0) - (wanted[cell.owner]?.cells ?? 0);
      if (spare <= 0) continue;
      counts[cell.owner] = (counts[cell.owner] ?? 0) - 1;
      cell.owner = short;
      counts[short] = (counts[short] ?? 0) + 1;
      need--;
    }
  }
}

function distance(cell: Cell, x: number, y: number): number {
  return (cell.x - x) ** 2 + (cell.y - y) ** 2;
}
