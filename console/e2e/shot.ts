/// Takes pictures of pages, for looking at: `tsx e2e/shot.ts <folder> <path>...`.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { startMock } from "../dev/mock";
import { launch } from "./browser";

const [folder = "shots", ...paths] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const given = process.env.HOLDFAST_CONSOLE_URL;
const mock = given ? undefined : await startMock({ port: 0, dist: join(import.meta.dirname, "../dist"), devices: Number(process.env.DEVICES ?? 2000), signedIn: process.env.SIGNED_OUT !== "1", live: false });
const base = given ?? `http://localhost:${mock?.port}`;
const browser = await launch();
const only = process.env.ONLY?.split(",");
for (const [size, width, height] of [["desktop", 1440, 900], ["phone", 390, 844]] as const) {
  for (const colorScheme of ["light", "dark"] as const) {
    if (only && !only.includes(`${size}-${colorScheme}`)) continue;
    const context = await browser.newContext({ viewport: { width, height }, colorScheme, deviceScaleFactor: size === "phone" ? 2 : 1, hasTouch: size === "phone", isMobile: size === "phone" });
    for (const path of paths) {
      const page = await context.newPage();
      page.on("console", (m) => m.type() === "error" && console.log(path, m.text()));
      page.on("pageerror", (e) => console.log(path, String(e)));
      await page.goto(base + path);
      await page.waitForLoadState("load");
      await page.waitForFunction(() => !document.querySelector(".skel"), undefined, { timeout: 8000 }).catch(() => console.log("skeletons stay", path));
      await page.evaluate(() => document.fonts.ready);
      await page.waitForTimeout(250);
      const name = path.replace(/[^a-z0-9]+/gi, "-").replace(/^-|-$/g, "") || "city";
      await page.screenshot({ path: join(folder, `${name}-${size}-${colorScheme}.png`), fullPage: process.env.FULL !== "0" });
      await page.close();
    }
    await context.close();
  }
}
await browser.close();
mock?.server.close();
mock?.server.closeAllConnections();
