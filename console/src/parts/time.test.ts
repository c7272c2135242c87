import { expect, test } from "vitest";
import { bytes, duration, relative, span } from "./time";

test("says how long ago, rounding towards now", () => {
  expect(relative(0, 3000)).toBe("now");
  expect(relative(0, 59_000)).toBe("59 s ago");
  expect(relative(0, 119_000)).toBe("1 min ago");
  expect(relative(7_200_000, 0)).toBe("in 2 h");
  expect(relative(0, 13 * 86_400_000)).toBe("13 d ago");
  expect(relative(0, 21 * 86_400_000)).toBe("3 weeks ago");
});
test("says durations in words", () => {
  expect(duration("PT10M")).toBe("10 min");
  expect(duration("P1DT2H")).toBe("1 d 2 h");
  expect(duration("nonsense")).toBe("nonsense");
  expect(duration(undefined)).toBe("");
});
test("says spans with the precision that matters", () => {
  expect(span(340)).toBe("340 ms");
  expect(span(2400)).toBe("2.4 s");
  expect(span(310_000)).toBe("5 min 10 s");
});
test("says sizes", () => {
  expect(bytes(1536)).toBe("1.5 KiB");
  expect(bytes(900)).toBe("900 B");
});
