import { expect, test } from "vitest";
import { capacityWords, draw, words, type Forecast } from "./forecast";

function forecast(ending: number[], servable: number, late: number[] = []): Forecast {
  return {
    at: "2026-03-01T00:00:00Z", answer: { word: "good", sentence: "" }, capacity: { perHour: servable / 24, measuredPerHour: 0 },
    devices: 0, ended: 0, beyond: 0, stepSeconds: 86_400,
    buckets: ending.map((n, i) => ({ from: new Date(Date.UTC(2026, 2, 1 + i)).toISOString(), to: new Date(Date.UTC(2026, 2, 2 + i)).toISOString(), ending: n, servable, late: late[i] ?? 0 })),
  };
}

test("the capacity is a rule in the picture when it is near the bars", () => {
  const d = draw(forecast([10, 90, 20], 100));
  expect(d.capacity).toBeCloseTo(100 / d.most);
  expect(d.most).toBe(150);
  expect(d.bars[1]?.height).toBeCloseTo(90 / 150);
});
test("and is said instead when it would flatten them", () => {
  const f = forecast([10, 90, 20], 864_000);
  expect(draw(f).capacity).toBeUndefined();
  expect(capacityWords(f)).toBe("864,000 a day, 9,600 times the highest bar");
});
test("what comes late is a part of its bar", () => {
  const d = draw(forecast([10, 400], 100, [0, 210]));
  expect(d.bars[0]?.late).toBe(0);
  expect((d.bars[1]?.late ?? 0) * d.most).toBeCloseTo(210);
});
test("a bar says itself in words", () => {
  const [bucket] = forecast([1], 24, [1]).buckets;
  expect(bucket && words(bucket)).toBe("1 March 2026: 1 certificate ends; 24 renewals can be served. Up to here 1 can’t have been renewed.");
});
test("an empty fleet has a picture too", () => {
  expect(draw(forecast([0, 0], 100)).bars.every((b) => b.height === 0)).toBe(true);
});
