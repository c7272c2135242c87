/// Opens every page in Chromium, in light and dark, at desktop and phone size, under the server's content security
/// policy, and looks: no axe violation, no console error, no policy violation, nothing wider than the screen; then walks
/// the console by keyboard and acts through its dialogs. Against HOLDFAST_CONSOLE_URL when given, else the made-up city.
///
/// ONLY=certificate runs the checks whose names fit this pattern.
///
/// A real server needs a signed-in session: HOLDFAST_CONSOLE_LINK (a one-time link) is used through a virtual
/// authenticator, which is the ceremony's own test; HOLDFAST_CONSOLE_COOKIE (name=value) skips it.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { BrowserContext, Page } from "playwright-core";
import { startMock } from "../dev/mock";
import { audit } from "./axe";
import { launch } from "./browser";
import { newPage, settled, type Check, type Target } from "./page";
import { actions } from "./actions";
import { keyboard } from "./keyboard";
import { passkeys } from "./passkeys";

const dist = join(import.meta.dirname, "../dist");
const given = process.env.HOLDFAST_CONSOLE_URL?.replace(/\/$/, "");
const link = process.env.HOLDFAST_CONSOLE_LINK;
const cookie = process.env.HOLDFAST_CONSOLE_COOKIE;
const shots = process.env.HOLDFAST_CONSOLE_SHOTS;

let passed = 0;
let failed = 0;
const only = process.env.ONLY ? new RegExp(process.env.ONLY) : undefined;
const check: Check = async (name, body) => {
  if (only && !only.test(name)) return;
  try {
    await body();
    passed++;
    if (process.env.VERBOSE) console.log(`ok      ${name}`);
  } catch (error) {
    failed++;
    console.log(`FAILED  ${name}\n        ${(error instanceof Error ? error.message : String(error)).replaceAll("\n", "\n        ")}`);
  }
};

const browser = await launch();
const mock = given ? undefined : await startMock({ port: 0, dist });
const empty = given ? undefined : await startMock({ port: 0, dist, devices: 0 });
const outside = given ? undefined : await startMock({ port: 0, dist, signedIn: false });
const acted = given ? undefined : await startMock({ port: 0, dist });
const base = given ?? `http://localhost:${mock?.port}`;
const target: Target = { base, mock: !given };
type State = Awaited<ReturnType<BrowserContext["storageState"]>>;
let session: State | undefined;

try {
  if (given && link) session = await passkeys(browser, target, link, check);
  if (given && cookie) {
    const [name = "", ...value] = cookie.split("=");
    session = { cookies: [{ name, value: value.join("="), domain: new URL(given).hostname, path: "/", expires: -1, httpOnly: true, secure: false, sameSite: "Strict" }], origins: [] };
  }
  if (given && !session) throw new Error("A real server needs HOLDFAST_CONSOLE_LINK or HOLDFAST_CONSOLE_COOKIE.");

  // Pages wait for the server and for fonts as much as they compute, so a few are open at once; those who act or type
  // take turns with themselves only, and act upon a city of their own.
  const lane: (() => Promise<void>)[] = [];
  for (const [size, width, height] of [["desktop", 1440, 900], ["phone", 390, 844], ["small phone", 360, 740]] as const) {
    for (const colorScheme of ["light", "dark"] as const) {
      if (size === "small phone" && colorScheme === "dark") continue;
      lane.push(...(await visits(size, width, height, colorScheme)));
    }
  }
  const work = async () => {
    for (let next = lane.shift(); next; next = lane.shift()) await next();
  };
  await Promise.all([work(), work(), keyboard(browser, target, session, check).then(() => (acted ? actions(browser, { base: `http://localhost:${acted.port}`, mock: true }, check) : undefined)).then(work)]);
} finally {
  await browser.close();
  for (const one of [mock, empty, outside, acted]) {
    one?.server.close();
    one?.server.closeAllConnections();
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);

/// Nothing is wider than the screen. The typeface may come late, and what was measured with another one is laid out again.
async function fits(page: Page): Promise<void> {
  await page.waitForFunction(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth, undefined, { timeout: 3000 }).catch(async () => {
    const who = await page.evaluate(() => [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1).map((e) => `${e.tagName.toLowerCase()}.${e.getAttribute("class") ?? ""}`).slice(0, 6).join(", "));
    throw new Error(`The page is wider than the screen: ${who}`);
  });
}

/// The visits of one size and scheme, still to be made.
async function visits(size: "desktop" | "phone" | "small phone", width: number, height: number, colorScheme: "light" | "dark"): Promise<(() => Promise<void>)[]> {
  const phone = size !== "desktop";
  const context = await browser.newContext({ viewport: { width, height }, colorScheme, hasTouch: phone, isMobile: phone, deviceScaleFactor: phone && shots ? 2 : 1, ...(session ? { storageState: session } : {}) });
  let left = 0;
  const visit = (origin: string, path: string, what: string, refusal?: number) => {
    left++;
    return async () => {
      await check(`${what} (${path}), ${size}, ${colorScheme}`, async () => {
        const { page, heard } = await newPage(context);
        try {
          const response = await page.goto(origin + path);
          const policy = response?.headers()["content-security-policy"] ?? "";
          if (!policy.includes("default-src 'none'") || policy.includes("unsafe-")) throw new Error(`The page came under the policy "${policy}".`);
          await settled(page);
          await fits(page);
          // The small phone is for what does not fit; what axe sees is the same as on the other.
          if (size !== "small phone") await audit(page);
          if (shots) {
            mkdirSync(shots, { recursive: true });
            await page.screenshot({ path: join(shots, `${what.replaceAll(/[^a-z0-9]+/gi, "-")}-${size.replace(" ", "-")}-${colorScheme}.png`), fullPage: !phone });
          }
          if (size === "desktop" && colorScheme === "light") { // a window that is made narrow, a tablet that is turned
            await page.setViewportSize({ width: 390, height: 844 });
            await fits(page);
          }
          // The browser notes a refusal that was asked for as an error of its own.
          const unexpected = refusal ? heard.filter((h) => !h.includes(`the server responded with a status of ${refusal}`)) : heard;
          if (unexpected.length > 0) throw new Error(unexpected.join("\n"));
        } finally {
          await page.close();
        }
      });
      if (--left === 0) await context.close();
    };
  };
  const all = (await findPaths(context, base)).map(([path, what, refusal]) => visit(base, path, what, refusal));
  // One light, one dark of the pages that hardly change with the size.
  if (size === "small phone" || (size === "phone") === (colorScheme === "light")) return all;
  if (empty) for (const path of ["/", "/?view=table", "/devices", "/rollouts", "/incidents", "/firmware", "/certificates", "/journal", "/notifications"]) all.push(visit(`http://localhost:${empty.port}`, path, "empty"));
  if (outside) for (const [path, refusal] of [["/"], ["/welcome#8Jx2m4Q0bTq9oX1rY7c3nA"], ["/welcome#token=expired", 410], ["/welcome"]] as const) all.push(visit(`http://localhost:${outside.port}`, path, "outside", refusal));
  return all;
}

/// Every page there is, with a real device, rollout and incident where the server has them.
async function findPaths(context: BrowserContext, origin: string): Promise<[string, string, number?][]> {
  const list = async (path: string, name: string): Promise<{ id: string }[]> => {
    let found: { id: string }[] = [];
    await check(`the API lists ${name} (${path})`, async () => {
      const response = await context.request.get(`${origin}/api/v1${path}`);
      if (!response.ok()) throw new Error(`GET ${path} answered ${response.status()}: ${await response.text()}`);
      found = ((await response.json()) as Record<string, { id: string }[]>)[name] ?? [];
    });
    return found;
  };
  const [device] = await list("/devices?selector=state%3Dactive&limit=1", "devices");
  const [held] = await list("/devices?selector=state%3Dquarantined&limit=1", "devices");
  const [fresh] = await list("/devices?selector=state%3Dregistered&limit=1", "devices");
  const rollouts = await list("/rollouts?limit=2", "rollouts");
  const incidents = await list("/incidents?limit=3", "incidents");
  const serial = (await list("/certificates?limit=1", "certificates") as unknown as { serial: string }[])[0]?.serial;
  return [
    ["/", "city"],
    ["/?view=table", "city as table"],
    ["/devices", "devices"],
    ["/devices?selector=%3F%3F", "devices, wrong selector", 400],
    ...(device ? [[`/devices/${device.id}`, "device"] as [string, string]] : []),
    ...(held ? [[`/devices/${held.id}`, "isolated device"] as [string, string]] : []),
    ...(fresh ? [[`/devices/${fresh.id}`, "new device"] as [string, string]] : []),
    ["/rollouts", "rollouts"],
    ...rollouts.map((r, i): [string, string] => [`/rollouts/${r.id}`, `rollout ${i + 1}`]),
    ["/incidents", "incidents"],
    ["/incidents?scope=all", "all incidents"],
    ...incidents.map((r, i): [string, string] => [`/incidents/${r.id}`, `incident ${i + 1}`]),
    ["/firmware", "firmware"],
    ["/certificates", "certificates"],
    ...(serial ? [[`/certificates/${serial}`, "certificate"] as [string, string]] : []),
    ["/journal", "journal"],
    ["/notifications", "notifications"],
    ["/operators", "operators"],
    ["/server", "this server"],
    ["/me", "me"],
    ["/nowhere", "nowhere"],
  ];
}
