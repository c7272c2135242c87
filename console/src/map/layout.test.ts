import { expect, test } from "vitest";
import { devicesPerCell, facesOf } from "./groups";
import { planCity } from "./layout";

const plate = { width: 90, height: 24 };
const city = [
  { name: "Harbour", cells: 420, plate },
  { name: "Old Town", cells: 310, plate },
  { name: "North", cells: 350, plate },
  { name: "East", cells: 290, plate },
  { name: "Mills", cells: 400, plate },
  { name: "Airport", cells: 230, plate },
];

test("gives every device a place of its own, in its district, inside the picture", () => {
  for (const [width, height] of [[1100, 560], [358, 420], [700, 400]] as const) {
    const plan = planCity(city, width, height);
    const taken = new Set<string>();
    plan.districts.forEach((district, i) => {
      expect(district.cells.length, `${district.name} at ${width}`).toBe(city[i]?.cells);
      district.cells.forEach((cell) => {
        taken.add(`${cell.column}:${cell.row}`);
        expect(cell.x).toBeGreaterThan(0);
        expect(cell.x).toBeLessThan(width);
        expect(cell.y).toBeLessThanOrEqual(plan.height);
      });
    });
    expect(taken.size).toBe(2000);
    expect(plan.height).toBeLessThanOrEqual(height + 1);
  }
});
test("is the same every time for the same city", () => {
  expect(planCity(city, 900, 500)).toEqual(planCity(city, 900, 500));
});
test("stands with no devices, one device, and one district", () => {
  expect(planCity([], 900, 500).districts).toEqual([]);
  expect(planCity([{ name: "A", cells: 1, plate }], 900, 500).districts[0]?.cells.length).toBe(1);
  expect(planCity([{ name: "A", cells: 5000, plate }], 358, 420).districts[0]?.cells.length).toBe(5000);
});
test("plans 20,000 devices", () => {
  const many = Array.from({ length: 20 }, (_, i) => ({ name: `District ${i}`, cells: 1000, plate }));
  const plan = planCity(many, 1200, 580);
  expect(plan.districts.reduce((sum, d) => sum + d.cells.length, 0)).toBe(20_000);
});
test("lets the worst device of a cell show, and any isolation", () => {
  const devices = [
    { id: "a", health: "good" as const, held: false },
    { id: "b", health: "bad" as const, held: false },
    { id: "c", health: "good" as const, held: true },
  ];
  expect(facesOf(devices, 2)).toEqual([{ health: "bad", held: false }, { health: "good", held: true }]);
});
test("gathers devices in cells only when single ones would be too small to point at", () => {
  expect(devicesPerCell(2000, 1100, 560)).toBe(1);
  expect(devicesPerCell(20_000, 358, 420)).toBeGreaterThan(3);
});
