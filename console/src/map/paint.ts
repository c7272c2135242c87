import type { Cell, CityPlan } from "./layout";

/// What a cell shows. Worse is later: a cell that stands for several devices shows the worst of them.
export const HEALTHS = ["good", "unknown", "watch", "bad"] as const;
export type Health = (typeof HEALTHS)[number];

export interface CellFace {
  readonly health: Health;
  /// Isolated: quarantined or suspended.
  readonly held: boolean;
}

export interface Palette {
  readonly good: string;
  readonly watch: string;
  readonly bad: string;
  readonly unknown: string;
  readonly held: string;
  readonly ground: string;
  readonly ink: string;
}

/// Reads the colours in force from the stylesheet, light or dark.
export function readPalette(element: HTMLElement): Palette {
  const probe = document.createElement("span");
  element.append(probe);
  const read = (name: string) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const palette = {
    good: read("--good-fill"),
    watch: read("--watch-fill"),
    bad: read("--bad-fill"),
    unknown: read("--unknown-fill"),
    held: read("--held"),
    ground: read("--surface"),
    ink: read("--ink"),
  };
  probe.remove();
  return palette;
}

const CORNERS = Array.from({ length: 6 }, (_, i) => {
  const angle = ((60 * i - 30) * Math.PI) / 180;
  return [Math.cos(angle), Math.sin(angle)] as const;
});

function hexagon(path: Path2D, cell: Cell, radius: number): void {
  CORNERS.forEach(([x, y], i) => {
    if (i === 0) path.moveTo(cell.x + x * radius, cell.y + y * radius);
    else path.lineTo(cell.x + x * radius, cell.y + y * radius);
  });
  path.closePath();
}

/// Paints the whole city. Health is size and form first, colour second: well is small and quiet, unknown is hollow,
/// watch fills its cell, trouble overflows it with a cross, isolated wears a square frame.
export function paintCity(
  context: CanvasRenderingContext2D,
  plan: CityPlan,
  faces: readonly (readonly CellFace[])[],
  palette: Palette,
): void {
  const r = plan.radius;
  context.clearRect(0, 0, plan.width, plan.height);
  const paths = { good: new Path2D(), unknown: new Path2D(), watch: new Path2D(), bad: new Path2D(), glyph: new Path2D(), cross: new Path2D(), held: new Path2D() };
  plan.districts.forEach((district, d) => {
    district.cells.forEach((cell, i) => {
      const face = faces[d]?.[i];
      if (!face) return;
      const { x, y } = cell;
      switch (face.health) {
        case "good":
          hexagon(paths.good, cell, r * 0.7);
          break;
        case "unknown":
          hexagon(paths.unknown, cell, r * 0.6);
          break;
        case "watch":
          hexagon(paths.watch, cell, r * 0.98);
          paths.glyph.moveTo(x, y - r * 0.45);
          paths.glyph.lineTo(x + r * 0.45, y + r * 0.32);
          paths.glyph.lineTo(x - r * 0.45, y + r * 0.32);
          paths.glyph.closePath();
          break;
        case "bad":
          hexagon(paths.bad, cell, r * 1.16);
          paths.cross.moveTo(x - r * 0.38, y - r * 0.38);
          paths.cross.lineTo(x + r * 0.38, y + r * 0.38);
          paths.cross.moveTo(x + r * 0.38, y - r * 0.38);
          paths.cross.lineTo(x - r * 0.38, y + r * 0.38);
          break;
      }
      if (face.held) paths.held.rect(x - r * 1.1, y - r * 1.1, r * 2.2, r * 2.2);
    });
  });
  context.fillStyle = palette.good;
  context.fill(paths.good);
  context.lineWidth = Math.max(1, r * 0.16);
  context.strokeStyle = palette.unknown;
  context.stroke(paths.unknown);
  context.fillStyle = palette.watch;
  context.fill(paths.watch);

  context.fillStyle = palette.bad;
  context.fill(paths.bad);
  context.strokeStyle = palette.ground;
  context.lineWidth = 1;
  context.stroke(paths.bad);
  if (r >= 5) {
    context.fillStyle = palette.ground;
    context.fill(paths.glyph);
    context.lineWidth = Math.max(1, r * 0.2);
    context.stroke(paths.cross);
  }
  context.strokeStyle = palette.ground;
  context.lineWidth = Math.max(3, r * 0.5);
  context.stroke(paths.held);
  context.strokeStyle = palette.held;
  context.lineWidth = Math.max(1.4, r * 0.22);
  context.stroke(paths.held);
}
