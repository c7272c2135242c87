import { HEALTHS, type CellFace, type Health } from "./paint";

export interface MapDevice {
  readonly id: string;
  readonly health: Health;
  readonly held: boolean;
}

export interface MapDistrict {
  readonly name: string;
  readonly devices: readonly MapDevice[];
}

/// The smallest hexagon that can still be told apart and pointed at, in pixels.
export const SMALLEST_RADIUS = 3.2;

/// How many devices one cell must stand for so that cells do not become too small.
export function devicesPerCell(devices: number, width: number, height: number): number {
  const cell = 1.5 * Math.sqrt(3) * SMALLEST_RADIUS * SMALLEST_RADIUS;
  const room = Math.max(1, Math.floor((width * height * 0.9) / cell));
  return Math.max(1, Math.ceil(devices / room));
}

/// The face of each cell of a district; of several devices the worst shows.
export function facesOf(devices: readonly MapDevice[], perCell: number): CellFace[] {
  const faces: CellFace[] = [];
  for (let i = 0; i < devices.length; i += perCell) {
    let worst = 0;
    let held = false;
    for (let j = i; j < Math.min(i + perCell, devices.length); j++) {
      const device = devices[j];
      if (!device) continue;
      worst = Math.max(worst, HEALTHS.indexOf(device.health));
      held ||= device.held;
    }
    faces.push({ health: HEALTHS[worst] ?? "unknown", held });
  }
  return faces;
}
