import type { Browser, BrowserContext, Page } from "playwright-core";
import type { Check, Target } from "./page";
import { newPage, settled } from "./page";

/// Walks the console with no pointer at all.
export async function keyboard(browser: Browser, target: Target, session: Awaited<ReturnType<BrowserContext["storageState"]>> | undefined, check: Check): Promise<void> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: "reduce", ...(session ? { storageState: session } : {}) });
  const at = async (path: string, body: (page: Page) => Promise<void>) => {
    const { page, heard } = await newPage(context);
    try {
      await page.goto(target.base + path);
      await settled(page);
      await body(page);
      if (heard.length > 0) throw new Error(heard.join("\n"));
    } finally {
      await page.close();
    }
  };
  const focused = (page: Page) => page.evaluate(() => {
    const e = document.activeElement;
    return e ? `${e.tagName.toLowerCase()} ${e.getAttribute("aria-label") ?? e.textContent?.trim().slice(0, 40) ?? ""}` : "";
  });

  await check("keyboard: the first stop skips to the content, and the link works", () => at("/", async (page) => {
    await page.keyboard.press("Tab");
    if (!(await focused(page)).includes("Skip to the content")) throw new Error(`The first stop is "${await focused(page)}".`);
    await page.keyboard.press("Enter");
    const inside = await page.evaluate(() => document.activeElement?.id === "content");
    if (!inside) throw new Error("The link does not move to the content.");
  }));

  for (const path of ["/", "/devices", "/rollouts", "/incidents", "/firmware", "/certificates", "/journal", "/notifications", "/operators", "/server", "/me"]) {
    await check(`keyboard: everything on ${path} is reached, visibly, and nothing traps`, () => at(path, async (page) => {
      const wanted = await page.evaluate(() => {
        const all = [...document.querySelectorAll<HTMLElement>("a[href], button:not(:disabled), input, select, textarea, summary, [tabindex='0']")].filter((e) => e.tabIndex >= 0 && e.getClientRects().length > 0 && !e.closest("details:not([open]) > :not(summary)") && !(e.getAttribute("role") === "tab" && e.getAttribute("aria-selected") !== "true"));
        all.forEach((e, i) => e.setAttribute("data-walk", String(i)));
        return all.length;
      });
      const seen = new Set<string>();
      const unseen: string[] = [];
      for (let i = 0; i < wanted + 12; i++) {
        await page.keyboard.press("Tab");
        const stop = await page.evaluate(() => {
          const e = document.activeElement as HTMLElement | null;
          if (!e || e === document.body) return null;
          const style = getComputedStyle(e);
          return { mark: e.dataset.walk ?? "", visible: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2, what: `${e.tagName} ${e.textContent?.trim().slice(0, 30)}` };
        });
        if (!stop) continue;
        if (!stop.visible) unseen.push(stop.what);
        if (stop.mark) seen.add(stop.mark);
      }
      if (unseen.length > 0) throw new Error(`Focus cannot be seen on: ${unseen.slice(0, 5).join("; ")}`);
      if (seen.size < wanted) {
        const missing = await page.evaluate((marks) => [...document.querySelectorAll<HTMLElement>("[data-walk]")].filter((e) => !marks.includes(e.dataset.walk ?? "") && !e.matches(":disabled")).map((e) => `${e.tagName} ${e.getAttribute("aria-label") ?? e.textContent?.slice(0, 60) ?? ""}`).slice(0, 4), [...seen]);
        // What came or went by itself while we walked (the page is live) is not a trap.
        if (missing.length > 0) throw new Error(`${wanted - seen.size} of ${wanted} are not reached, such as ${missing.join("\n")}`);
      }
    }));
  }

  await check("keyboard: the map is walked with arrows, says where it stands, and opens a device", () => at("/", async (page) => {
    await page.locator(".map-frame").focus();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowDown");
    const said = await page.locator(".map p[aria-live]").textContent();
    if (!said?.includes(":")) throw new Error(`The map said "${said}".`);
    await page.keyboard.press("n");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/devices\/./);
  }));

  await check("keyboard: tabs move by arrows", () => at("/devices", async (page) => {
    await page.locator("table a.key").first().focus();
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/devices\/./);
    await settled(page);
    await page.getByRole("tab").first().focus();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Enter");
    await page.getByRole("tab", { name: "Telemetry", selected: true }).waitFor({ timeout: 5000 });
  }));

  await check("keyboard: a dialog takes the focus, keeps it, and gives it back", () => at("/rollouts", async (page) => {
    const button = page.getByRole("button", { name: /Stop everything|Let it go on/ });
    await button.focus();
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog");
    await dialog.waitFor();
    for (let i = 0; i < 8; i++) {
      await page.keyboard.press("Tab");
      const inside = await dialog.evaluate((d) => d.contains(document.activeElement) || document.activeElement?.hasAttribute("data-base-ui-focus-guard") === true);
      if (!inside) throw new Error(`The focus left the dialog for "${await focused(page)}".`);
    }
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    await page.waitForFunction(() => /Stop everything|Let it go on/.test(document.activeElement?.textContent ?? ""), undefined, { timeout: 3000 });
  }));

  await check("reduced motion: nothing moves", () => at("/", async (page) => {
    const moving = await page.evaluate(() => document.getAnimations().length);
    if (moving > 0) throw new Error(`${moving} animations run.`);
  }));
  await context.close();
}
