import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";

const source = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

interface Result {
  violations: { id: string; help: string; nodes: { target: string[]; failureSummary?: string }[] }[];
}

/// Runs axe with every rule of WCAG 2.2 A and AA and of good practice; any violation is a failure.
export async function audit(page: Page): Promise<void> {
  // By the debugger, as the page's own policy rightly lets no script in.
  await page.evaluate(source);
  const result = (await page.evaluate("axe.run(document, { resultTypes: ['violations'] })")) as Result;
  if (result.violations.length > 0) {
    throw new Error(result.violations.map((v) => `axe ${v.id}: ${v.help}\n${v.nodes.slice(0, 4).map((n) => `  ${n.target.join(" ")}: ${n.failureSummary?.split("\n").slice(1).join(" ")}`).join("\n")}`).join("\n"));
  }
}
