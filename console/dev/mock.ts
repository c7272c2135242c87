/// A stand-in for the server, for development and the console's own tests; never shipped. Serves the built console
/// under the very headers the server sends, and the API from a seeded city kept in memory.
import { createReadStream, existsSync, readFileSync, statSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { extname, join, normalize } from "node:path";
import type { components } from "../target/schema";
import { makeCity, random, type City } from "./city";

type S = components["schemas"];

export const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
const TYPES: Record<string, string> = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2" };

export interface MockOptions {
  readonly port: number;
  readonly dist: string;
  readonly seed?: number;
  readonly devices?: number;
  readonly signedIn?: boolean;
  readonly live?: boolean;
}

interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  readonly match: readonly string[];
  readonly body: Record<string, unknown>;
  readonly raw: string;
}

export function startMock(options: MockOptions): Promise<{ server: Server; port: number; city: City }> {
  const size = options.devices ?? 2000;
  const city = makeCity(options.seed ?? 1, size || 300);
  if (size === 0) {
    city.devices.clear();
    city.incidents.length = 0;
    city.rollouts.length = 0;
    city.releases.length = 0;
    city.journal.length = 0;
    city.channels = [];
    city.never = [];
  }
  const rnd = random((options.seed ?? 1) + 99);
  let signedIn = options.signedIn ?? true;
  const decided = new Set<string>();
  const streams = new Set<ServerResponse>();
  const all = () => [...city.devices.values()];
  const iso = (offset = 0) => new Date(Date.now() + offset).toISOString();
  const accounts: S["AcmeAccount"][] = [
    { id: "5Qz0cWb3T1", device: "meter-0003", profile: "gateway", thumbprint: "gPzq0tUuRjYx9w8sVn1bQmKc3dE5fL7hJ2aT4iO6yWk", secret: "s-41c0", status: "valid", createdAt: iso(-9e8), orders: 12, issued: 11, lastOrderAt: iso(-6e7) },
    { id: "kV81LmX9pe", device: "meter-0005", profile: "gateway", thumbprint: "Zk3yQ1oP9nXeB7rT5vU2wC8dF0gH4jL6mN1aS3iE5tY", secret: "s-77aa", status: "deactivated", createdAt: iso(-2e9), deactivatedAt: iso(-1e8), orders: 0, issued: 0 },
  ];

  const send = (event: string, data: unknown) => streams.forEach((s) => s.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`));
  const mark = (d: S["Device"]): S["DeviceMark"] => ({ id: d.id, state: d.state, health: d.health, connected: d.connected, district: d.labels.district });

  const healthCounts = (devices: readonly S["Device"][]): S["HealthCounts"] => {
    const counts = { good: 0, watch: 0, bad: 0, unknown: 0 };
    devices.forEach((d) => counts[d.health]++);
    return counts;
  };
  const counters = (): S["FleetCounters"] => {
    const states = { registered: 0, enrolled: 0, active: 0, quarantined: 0, suspended: 0, retired: 0 };
    all().forEach((d) => states[d.state]++);
    return {
      at: iso(), devices: city.devices.size, states, health: healthCounts(all()), connected: all().filter((d) => d.connected).length, sessions: all().filter((d) => d.connected).length, messagesPerSecond: city.devices.size / 10 + rnd() * 6,
      openIncidents: city.incidents.filter((i) => i.state !== "closed").length, awaitingApproval: city.incidents.filter((i) => i.state === "awaiting-approval").length,
      activeRollouts: city.rollouts.filter((r) => ["running", "paused", "rolling-back", "stopped"].includes(r.state)).length,
    };
  };
  const switches = (): S["Switches"] => ({ stopAll: city.stop, rolloutGate: true, automaticIsolation: true });
  const summary = (i: S["Incident"]): S["IncidentSummary"] => {
    const rest: Partial<S["Incident"]> = { ...i };
    delete rest.evidence;
    delete rest.actions;
    delete rest.history;
    return rest as S["IncidentSummary"];
  };
  const problem = (call: Call, status: number, title: string, detail: string, fix?: string) => json(call, { type: "/docs/problems/mock", title, status, detail, ...(fix ? { fix } : {}) }, status);
  const json = (call: Call, value: unknown, status = 200) => {
    call.response.writeHead(status, { "content-type": status >= 400 ? "application/problem+json" : "application/json", "cache-control": "no-store" });
    call.response.end(JSON.stringify(value));
  };
  const page = <T>(call: Call, values: readonly T[], name: string, more: object = {}) => {
    const from = Number(call.query.get("cursor") ?? 0);
    const limit = Number(call.query.get("limit") ?? 50);
    json(call, { [name]: values.slice(from, from + limit), ...more, ...(from + limit < values.length ? { next: String(from + limit) } : {}) });
  };
  const me = (): S["Me"] => ({
    signedIn, server: { version: "0.1.0", environment: "development", development: true, firstOperatorMissing: false },
    ...(signedIn ? { id: "op-1", name: "Mara Lindqvist", via: "passkey" as const, role: "admin" as const, csrf: "mock", scopes: ["read" as const, "access:write" as const], expiresAt: iso(8 * 3_600_000) } : {}),
  });
  const device = (call: Call) => city.devices.get(decodeURIComponent(call.match[1] ?? ""));
  const change = (call: Call, d: ReturnType<typeof device>, next: Partial<S["Device"]>) => {
    if (!d) return problem(call, 404, "No such device", "No device has this id.");
    Object.assign(d, next, { stateSince: iso() });
    send("device-changed", { devices: [mark(d)] });
    json(call, d);
  };
  const legs = (state: S["Leg"]["state"]): S["Legs"] => ({ session: { state, at: iso(), detail: "1 session" }, identity: { state, at: iso() }, network: { state: "unavailable", detail: "It reaches us through no gateway of ours" } });

  const routes: [string, RegExp, (call: Call) => void][] = [
    ["GET", /^\/me$/, (c) => json(c, me())],
    ["DELETE", /^\/session$/, (c) => { signedIn = false; c.response.writeHead(204).end(); }],
    ["POST", /^\/session\/passkey\/options$/, (c) => json(c, { ceremony: "c1", publicKey: { challenge: "AAAA", rpId: "localhost", allowCredentials: [], userVerification: "required" } })],
    ["POST", /^\/session\/passkey$/, (c) => { signedIn = true; json(c, me()); }],
    ["POST", /^\/session\/link$/, (c) => c.body.link === "expired" ? problem(c, 410, "The link has ended", "It was used already, or is older than an hour.", "Run ./holdfast serve again, or ask the operator who invited you for a new link.") : json(c, { purpose: "first-operator", role: "admin", expiresAt: iso(3_000_000) })],
    ["POST", /^\/session\/link\/options$/, (c) => json(c, { ceremony: "c1", publicKey: { challenge: "AAAA", rp: { id: "localhost", name: "Holdfast" }, user: { id: "AAAA", name: "x", displayName: "x" }, pubKeyCredParams: [{ type: "public-key", alg: -7 }] } })],
    ["POST", /^\/session\/link\/passkey$/, (c) => { signedIn = true; json(c, me()); }],
    ["GET", /^\/passkeys$/, (c) => json(c, { passkeys: [{ id: "pk-1", name: "This laptop", createdAt: iso(-9e8), lastUsedAt: iso(-3e6) }] })],
    ["GET", /^\/accounts$/, (c) => json(c, { accounts: [{ id: "op-1", name: "Mara Lindqvist", role: "admin", locked: false, createdAt: iso(-6e8), lastSignInAt: iso(-3e6), passkeys: 2 }, { id: "op-2", name: "Jonas Abel", role: "operator", locked: false, createdAt: iso(-5e8), lastSignInAt: iso(-8e7), passkeys: 1 }] })],
    ["GET", /^\/invitations$/, (c) => json(c, { invitations: [{ id: "inv-1", name: "Ines Okafor", role: "viewer", createdBy: "Mara Lindqvist", expiresAt: iso(7e7) }] })],
    ["POST", /^\/invitations$/, (c) => json(c, { id: "inv-2", name: String(c.body.name), role: c.body.role, createdBy: "Mara Lindqvist", expiresAt: iso(8e7), link: "http://localhost:8080/welcome#8Jx2m4Q0bTq9oX1rY7c3nA" }, 201)],
    ["GET", /^\/tokens$/, (c) => json(c, { tokens: [{ id: "tk-1", name: "continuous integration", scopes: ["read", "firmware:write"], createdBy: "Mara Lindqvist", createdAt: iso(-4e8), expiresAt: iso(2e9), lastUsedAt: iso(-6e5) }] })],
    ["POST", /^\/tokens$/, (c) => json(c, { id: "tk-2", name: String(c.body.name), scopes: c.body.scopes, createdBy: "Mara Lindqvist", createdAt: iso(), expiresAt: iso(2e9), secret: "hft_mock_8Jx2m4Q0bTq9oX1rY7c3nA" }, 201)],
    ["GET", /^\/fleet\/overview$/, (c) => {
      const open = city.incidents.filter((i) => i.state !== "closed");
      const c2 = counters();
      const held = c2.states.quarantined + c2.states.suspended;
      const overview: S["FleetOverview"] = {
        at: iso(), journal: 8200, environment: "development", development: true, counters: c2, switches: switches(),
        answer: city.devices.size === 0 ? { health: "unknown", sentence: "There is no device yet." } : held > 0 ? { health: "watch", sentence: `Yes, with ${held} devices isolated. ${c2.health.good} of ${c2.devices} are well; ${open.length} incidents are open, 1 waits for your approval.` } : { health: "good", sentence: `Yes. ${c2.health.good} of ${c2.devices} devices are well.` },
        districts: [...new Set(all().map((d) => d.labels.district ?? ""))].sort().map((name) => { const own = all().filter((d) => d.labels.district === name); return { name, devices: own.length, health: healthCounts(own) }; }),
        incidents: open.map(summary), rollouts: city.rollouts.filter((r) => ["running", "paused", "rolling-back", "stopped"].includes(r.state)),
      };
      json(c, overview);
    }],
    ["GET", /^\/fleet\/map$/, (c) => {
      const list = all().sort((a, b) => ((a.labels.district ?? "") < (b.labels.district ?? "") ? -1 : a.labels.district === b.labels.district ? (a.id < b.id ? -1 : 1) : 1)).slice(0, 20_000);
      const districts = [...new Set(list.map((d) => d.labels.district ?? ""))];
      const firmwares = [...new Set(list.map((d) => d.firmware ?? ""))].filter(Boolean);
      json(c, { at: iso(), journal: 8200, total: city.devices.size, districts, firmwares, ids: list.map((d) => d.id), district: list.map((d) => districts.indexOf(d.labels.district ?? "")), health: list.map((d) => d.health[0]).join(""), state: list.map((d) => d.state[0]).join(""), connected: list.map((d) => (d.connected ? "1" : "0")).join(""), firmware: list.map((d) => firmwares.indexOf(d.firmware ?? "")) } satisfies S["FleetMap"]);
    }],
    ["GET", /^\/stream$/, (c) => {
      c.response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
      c.response.write(`event: hello\ndata: ${JSON.stringify({ journal: 8200, environment: "development", resync: false })}\n\n`);
      streams.add(c.response);
      c.response.on("close", () => streams.delete(c.response));
    }],
    ["GET", /^\/models$/, (c) => json(c, { models: [{ id: "kwh-3", environment: "development", vendor: "Tidewater Instruments", hardware: "kwh-3-revB", expectedInterval: "PT10S", bands: { voltage: { min: 207, max: 253, unit: "V" } }, allowedFlows: [{ network: "10.20.0.0/24", protocol: "tcp", port: 8883 }], desiredConfiguration: { interval: "10" }, devices: city.devices.size }] })],
    ["GET", /^\/devices$/, (c) => {
      const q = (c.query.get("search") ?? "").toLowerCase();
      const selector = c.query.get("selector") ?? "";
      const health = c.query.get("health");
      if (selector.includes("??")) return problem(c, 400, "The selector does not parse", "Unexpected '?' at character 1.", "Write it as district=north, kind in (meter,gateway), state!=retired.");
      let list = all().filter((d) => d.id.toLowerCase().includes(q) && (!health || d.health === health));
      const eq = /^(\w+)=(.+)$/.exec(selector);
      if (eq) list = list.filter((d) => ({ ...d.labels, state: d.state, model: d.model, firmware: d.firmware })[eq[1] ?? ""] === eq[2]);
      if (selector.startsWith("state in")) list = list.filter((d) => selector.includes(d.state));
      const sort = c.query.get("sort") ?? "id";
      const key = sort.replace("-", "") as "id" | "lastContact" | "stateSince";
      if (key in (list[0] ?? {})) list.sort((a, b) => String(a[key] ?? "").localeCompare(String(b[key] ?? "")) * (sort.startsWith("-") ? -1 : 1));
      page(c, list, "devices", { total: list.length });
    }],
    ["POST", /^\/devices$/, (c) => {
      const id = String(c.body.id);
      if (city.devices.has(id)) return problem(c, 409, "The id is taken", `${id} is registered already.`, "Choose another id, or open the device.");
      const d: S["Device"] = { id, environment: "development", model: String(c.body.model), labels: (c.body.labels ?? {}) as Record<string, string>, state: "registered", stateSince: iso(), stateReason: "registered", registeredAt: iso(), risk: { level: "unknown", reasons: [] }, health: "unknown", healthReason: "Not enrolled yet.", connected: false, etag: '"1"' };
      city.devices.set(id, d);
      send("device-changed", { devices: [mark(d)] });
      json(c, d, 201);
    }],
    ["GET", /^\/devices\/([^/]+)$/, (c) => { const d = device(c); return d ? json(c, { ...d, sessions: d.connected ? [{ protocol: "mqtt 5", remoteAddress: "10.20.0.44:51422", since: iso(-4e6), certificate: "4f9a11c07be2d5531c8a" }] : [] }) : problem(c, 404, "No such device", `No device has the id ${c.match[1]}.`, "Look for it under Devices."); }],
    ["PATCH", /^\/devices\/([^/]+)$/, (c) => { const d = device(c); if (d) { d.labels = Object.fromEntries(Object.entries({ ...d.labels, ...(c.body.labels as Record<string, string | null>) }).filter((entry): entry is [string, string] => entry[1] !== null)); } return d ? json(c, d) : problem(c, 404, "No such device", ""); }],
    ["POST", /^\/devices\/([^/]+)\/enrolment-token$/, (c) => json(c, { device: c.match[1], token: "Jx2m-4Q0b-Tq9o-X1rY", expiresAt: iso(8.6e7), estUrl: "https://localhost:8443/.well-known/est", commands: `openssl ecparam -name prime256v1 -genkey -noout -out key.pem\nopenssl req -new -key key.pem -subj /CN=${c.match[1]} -outform DER | base64 > csr.b64\ncurl --cacert ca.pem -u ${c.match[1]}:Jx2m-4Q0b-Tq9o-X1rY \\\n  -H 'Content-Type: application/pkcs10' --data-binary @csr.b64 \\\n  https://localhost:8443/.well-known/est/simpleenroll | base64 -d |\n  openssl pkcs7 -inform DER -print_certs -out cert.pem\nmosquitto_pub -h localhost -p 8883 --cafile ca.pem --cert cert.pem --key key.pem \\\n  -i ${c.match[1]} -q 1 -t d/${c.match[1]}/telemetry -m '{"kwh":1.2}'` } satisfies Partial<S["EnrolmentToken"]>, 201)],
    ["POST", /^\/devices\/([^/]+)\/suspend$/, (c) => change(c, device(c), { state: "suspended", stateReason: String(c.body.reason), connected: false, legs: legs("enforced") })],
    ["POST", /^\/devices\/([^/]+)\/reinstate$/, (c) => change(c, device(c), { state: "active", stateReason: String(c.body.reason), connected: true, health: "good", healthReason: "Heard within its interval.", legs: undefined, stateUntil: undefined })],
    ["POST", /^\/devices\/([^/]+)\/retire$/, (c) => change(c, device(c), { state: "retired", stateReason: String(c.body.reason), connected: false })],
    ["POST", /^\/devices\/([^/]+)\/isolate$/, (c) => { const d = device(c); if (!d) return problem(c, 404, "No such device", ""); Object.assign(d, { state: "quarantined", stateReason: String(c.body.reason), stateSince: iso(), stateUntil: iso(8.6e7), connected: false, legs: legs("enforced") }); send("device-changed", { devices: [mark(d)] }); json(c, city.incidents[0] ?? {}); }],
    ["GET", /^\/devices\/([^/]+)\/isolate\/preview$/, (c) => json(c, { device: c.match[1] ?? "", sentence: `1 device (${c.match[1]}) until tomorrow; undo in its incident.`, devices: [c.match[1] ?? ""], legs: legs("pending"), until: iso(8.64e7), neverIsolate: false, budget: { used: 2, limit: 20 } } satisfies S["IsolationPreview"])],
    ["GET", /^\/devices\/([^/]+)\/timeline$/, (c) => {
      const id = c.match[1] ?? "";
      const items: S["TimelineItem"][] = [
        { at: iso(-3000), kind: "session", title: "Connected over MQTT 5", detail: "10.20.0.44, certificate 4f9a11c07be2" },
        { at: iso(-412_000), kind: "incident", title: "Isolated: session cut in 0.7 s", severity: "critical", provenance: "observed", incident: "inc-41", actor: "Holdfast" },
        { at: iso(-413_000), kind: "finding", title: "Destination fan-out", detail: "Expected flows to 10.20.0.0/24 port 8883; saw 23 addresses in 8 s", severity: "critical", provenance: "observed", incident: "inc-41" },
        { at: iso(-2_000_000), kind: "rollout", title: "Healthy on 2.5.0", detail: "Batch canary", rollout: "ro-3" },
        { at: iso(-2_400_000), kind: "event", title: "boot", detail: "firmware 2.5.0, slot B, counter 7" },
        { at: iso(-9_000_000), kind: "connection-failure", title: "Refused: certificate superseded", detail: "It presented a certificate that a newer one has replaced" },
        { at: iso(-86_400_000), kind: "change", title: "Labels set", actor: "Mara Lindqvist", journal: 7321 },
        { at: iso(-500_000_000), kind: "change", title: "Active: first connection with its own certificate", actor: `device:${id}`, journal: 212 },
        { at: iso(-500_001_000), kind: "change", title: "Certificate issued", detail: "serial 4f9a11c07be2d5531c8a", journal: 211 },
        { at: iso(-600_000_000), kind: "change", title: "Registered", actor: "Mara Lindqvist", journal: 12 },
      ];
      page(c, items, "items");
    }],
    ["GET", /^\/devices\/([^/]+)\/series$/, (c) => {
      const from = Date.parse(c.query.get("from") ?? iso(-86_400_000)) / 1000;
      const to = Date.now() / 1000;
      const step = Math.max(60, Math.round((to - from) / 480 / 60) * 60);
      const r = random(7);
      const at = Array.from({ length: Math.floor((to - from) / step) }, (_, i) => Math.round(from + i * step));
      const make = (metric: string, unit: string, base: (t: number) => number, spread: number, band?: S["Band"]): S["Series"] => {
        const mean = at.map((t) => base(t) + (r() - 0.5) * spread * 0.6);
        return { metric, unit, step, at, mean, min: mean.map((m) => m - r() * spread), max: mean.map((m) => m + r() * spread), count: at.map(() => step / 10), ...(band ? { band } : {}) };
      };
      const hour = (t: number) => ((t / 3600) % 24) / 24;
      json(c, { from: new Date(from * 1000).toISOString(), to: iso(), series: [
        make("voltage", "V", (t) => 230 + 4 * Math.sin(hour(t) * 6.28) + (t > to - 5000 ? 26 : 0), 2, { min: 207, max: 253, unit: "V" }),
        make("power", "W", (t) => 420 + 300 * Math.max(0, Math.sin(hour(t) * 12.56)), 90),
        make("temperature", "°C", (t) => 31 + 5 * Math.sin(hour(t) * 6.28 - 1), 0.8, { min: -20, max: 70, unit: "°C" }),
      ] });
    }],
    ["GET", /^\/devices\/([^/]+)\/configuration$/, (c) => json(c, { reported: { at: iso(-40_000), revision: 6, settings: { interval: "10", "ntp.server": "198.51.100.9" } }, desired: { revision: 7, state: { interval: "10", "ntp.server": "10.20.0.2" }, at: iso(-400_000), delivered: true }, differences: [{ key: "ntp.server", expected: "10.20.0.2", reported: "198.51.100.9" }] } satisfies S["DeviceConfiguration"])],
    ["GET", /^\/devices\/([^/]+)\/certificates$/, (c) => page(c, certificates(c.match[1] ?? "", iso).slice(0, 3), "certificates")],
    ["GET", /^\/logs$/, (c) => {
      const lines: S["LogLine"][] = [
        { at: iso(-20_000), device: "x", severity: "info", text: "reading stored" },
        { at: iso(-45_000), device: "x", severity: "warning", text: "clock stepped by 4 s" },
        { at: iso(-61_000), device: "x", severity: "err", text: "<img src=x onerror=alert(1)> \u001b[31mALL GOOD\u001b[0m\r\nfake: second line" },
        { at: iso(-75_000), device: "x", severity: "notice", text: "user \u202egnp.exe\u202c attached\u200b" },
        { at: iso(-95_000), device: "x", severity: "debug", text: "radio: rssi -71 dBm, 3 retries" },
      ].filter((l) => l.text.includes(c.query.get("search") ?? "")) as S["LogLine"][];
      page(c, lines, "lines");
    }],
    ["GET", /^\/connection-failures$/, (c) => page(c, [{ at: iso(-9_000_000), listener: "mqtt", cause: "CERTIFICATE_SUPERSEDED", sentence: "It presented a certificate that a newer one has replaced.", device: "x", remoteAddress: "192.0.2.81" }], "failures")],
    ["POST", /^\/imports\/devices$/, (c) => { const lines = c.raw.trim().split("\n").length - 1; json(c, { read: lines, accepted: Math.max(0, lines - 1), unchanged: 0, rejected: 1, errors: [{ line: 3, message: "unknown model kwh-9" }] } satisfies S["ImportResult"]); }],
    ["GET", /^\/exports\/devices$/, (c) => { c.response.writeHead(200, { "content-type": "text/csv" }); c.response.end("id,model\n"); }],
    ["GET", /^\/rollovers$/, (c) => json(c, { rollovers: size === 0 ? [] : [rollover(iso)] })],
    ["GET", /^\/rollovers\/[^/]+$/, (c) => json(c, { ...rollover(iso), devices: size, moved: 0, depending: size, trusting: size - 3, fetched: size - 2, movedLastMinute: 0, missing: all().slice(0, 3).map((d) => d.id), waivers: [] } satisfies S["Rollover"])],
    ["GET", /^\/rollovers\/[^/]+\/devices$/, (c) => page(c, all().slice(0, 3).map((d, i): S["RolloverDevice"] => ({ device: d.id, environment: "development", told: iso(-3_600_000), ...(i === 0 ? { fetched: iso(-60_000) } : {}), moved: false, depends: true })), "devices")],
    ["GET", /^\/certificates$/, (c) => page(c, all().slice(0, 120).flatMap((d) => certificates(d.id, iso).slice(0, 1)).filter((x) => (!c.query.get("status") || x.status === c.query.get("status")) && (!c.query.get("device") || x.device === c.query.get("device"))), "certificates")],
    ["GET", /^\/certificates\/forecast$/, (c) => json(c, forecast(city.devices.size, c.query.get("by") === "week", Number(c.query.get("days") ?? 90), iso))],
    ["GET", /^\/certificates\/keys$/, (c) => json(c, { at: iso(), certificates: size, weak: size === 0 ? 0 : 212, groups: size === 0 ? [] : [{ profile: "device", kind: "ec-p256", certificates: 1_700, accepted: true, quantumSafe: false }, { profile: "device", kind: "rsa", certificates: 212, accepted: false, quantumSafe: false }, { profile: "gateway", kind: "ml-dsa-65", certificates: 88, accepted: true, quantumSafe: true }], shared: size === 0 ? [] : [{ device: "meter-0007", at: iso(-7e6), seen: "meter-0008 asked for a certificate for the key of meter-0007" }] } satisfies S["CertificateKeys"])],
    ["GET", /^\/certificates\/rogue$/, (c) => json(c, { certificates: size === 0 ? [] : [{ sha256: "9d".padEnd(64, "b4"), authority: "device-development-1", serial: "7be2d5531c8a4f9a11c0aa01", subject: "CN=meter-0031", firstSeenAt: iso(-9e6), lastSeenAt: iso(-6e5), times: 14, remoteAddress: "203.0.113.77:40112", pem: "-----BEGIN CERTIFICATE-----" }] })],
    ["GET", /^\/certificates\/([0-9a-f]+)$/, (c) => { const one = all().slice(0, 200).flatMap((d) => certificates(d.id, iso)).find((x) => x.serial === c.match[1]); return one ? json(c, { ...one, sha256: "9d".padEnd(64, "b4"), pem: `-----BEGIN CERTIFICATE-----\n${"MIIBszCCAVmgAwIBAgIQT5oRwHvi1VMEAAIDyKowCgYIKoZIzj0EAwIwPjERMA8G\n".repeat(9)}-----END CERTIFICATE-----\n` }) : problem(c, 404, "No such certificate", "No certificate has this serial number.", "Look for its device under Devices."); }],
    ["POST", /^\/renewal-campaigns$/, (c) => json(c, { id: "5f21c0aa11d2e3f4", environment: "development", reason: String(c.body.reason), startedBy: "Mara Lindqvist", startedAt: iso(), perHour: 36_000, total: 1, told: 0, done: 0, toldBy: iso() } satisfies S["RenewalCampaign"], 201)],
    ["GET", /^\/certificate-profiles$/, (c) => json(c, { profiles: [{ name: "device", usages: ["tls-client"], keys: { kinds: ["ec-p256", "ec-p384", "ml-dsa-65"], serverGenerated: false }, validity: { lifetime: "P90D", jitterPercent: 10, backdated: "PT5M" }, rotation: { overlap: "PT0S", renewableAfterExpiry: "P30D", lateWindow: "P60D" }, admittance: { credentials: ["token", "manufacturer"], approval: false, channelBound: false, attestation: "none", dnsNames: [] } }, { name: "gateway", usages: ["tls-client", "tls-server"], keys: { kinds: ["ml-dsa-65"], serverGenerated: false }, validity: { lifetime: "P30D", jitterPercent: 0, backdated: "PT5M" }, rotation: { overlap: "PT1H", renewableAfterExpiry: "PT0S", lateWindow: "PT0S" }, admittance: { credentials: ["tpm"], approval: true, channelBound: true, attestation: "tpm", dnsNames: ["*.gw.example.org"] } }] satisfies S["CertificateProfile"][] })],
    ["GET", /^\/enrolment-requests$/, (c) => json(c, { requests: size === 0 ? [] : ([{ id: "rq-1", environment: "development", device: "meter-0044", key: "4c".padEnd(64, "1f"), cause: "late-renewal", credential: "certificate", detail: "its certificate ended 2026-02-01T00:00:00Z; asked by EST from 10.20.0.9:4012", state: "waiting", firstAskedAt: iso(-6e6), lastAskedAt: iso(-3e4), timesAsked: 97, expiresAt: iso(6e8) }, { id: "rq-2", environment: "development", key: "7b".padEnd(64, "02"), cause: "unregistered-serial", credential: "manufacturer", detail: "Tidewater Instruments says that its product is SN-2291; asked by EST from 10.20.0.77:5120", state: "waiting", firstAskedAt: iso(-9e5), lastAskedAt: iso(-6e4), timesAsked: 12, expiresAt: iso(6e8), manufacturer: "5d".padEnd(64, "90"), serialNumber: "SN-2291" }] satisfies S["EnrolmentRequest"][]).filter((r) => !decided.has(r.id)) })],
    ["POST", /^\/enrolment-requests\/([^/]+)\/(approve|refuse)$/, (c) => {
      const id = c.match[1] ?? "";
      if (id === "rq-2" && c.match[2] === "approve" && c.body.device === "meter-0001" && c.body.model) return problem(c, 400, "A field is not right", "device: is registered already, with another model.", "Say that it is registered, or choose another id.");
      decided.add(id);
      json(c, { id, state: c.match[2] === "approve" ? "approved" : "refused" });
    }],
    ["GET", /^\/acme-accounts$/, (c) => json(c, { accounts: size === 0 ? [] : accounts })],
    ["POST", /^\/acme-accounts\/([^/]+)\/deactivate$/, (c) => { const a = accounts.find((x) => x.id === c.match[1]); if (!a) return problem(c, 404, "No such account", ""); Object.assign(a, { status: "deactivated", deactivatedAt: iso() }); json(c, a); }],
    ["GET", /^\/devices\/([^/]+)\/attestation$/, (c) => json(c, { device: c.match[1] ?? "", endorsementKeys: [], references: [], verdicts: [{ at: iso(-4e5), occasion: "re-attestation", verdict: "failed", faults: ["pcr-values-not-approved: nobody has approved what these registers hold: [sha256:4, sha256:7] differ from '2.5.0'"], hardware: true, endorsementKey: "6e".padEnd(64, "31"), expected: "2.5.0", eventLog: "replayed", registers: {}, differences: [{ register: "sha256:4", expected: "3a".padEnd(64, "77"), seen: "9f".padEnd(64, "04"), events: [{ seen: "EV_EFI_BOOT_SERVICES_APPLICATION \"\\EFI\\tool.efi\" (10fe22ab90cd4411...)" }] }, { register: "sha256:7", expected: "c0".padEnd(64, "5d"), seen: "e1".padEnd(64, "68"), events: [{ expected: "EV_EFI_VARIABLE_DRIVER_CONFIG SecureBoot (cfe17a6ec8e1f2f7...)", seen: "EV_EFI_VARIABLE_DRIVER_CONFIG SecureBoot (9b2f00d1c0a94f53...)" }] }], resets: 14, firmware: "20220101" }] } satisfies S["DeviceAttestation"])],
    ["GET", /^\/devices\/([^/]+)\/connection-diagnosis$/, (c) => json(c, { device: c.match[1] ?? "", verdict: "refused", sentence: `${c.match[1]} was refused: it came with an old certificate, whose successor has been used; the certificate with serial number 4f9a11c0 was refused.`, reasons: [{ kind: "note", cause: "SUCCESSOR_NOT_USED", sentence: "Its new certificate 4f9a11c07be2d553 has not been used; the one before it still counts.", fix: "nothing, if it is about to; else look whether the device stored the answer to its request", readOn: "docs/certificates.md#rotation", times: 0, sure: true }, { kind: "admission", cause: "CERTIFICATE_SUPERSEDED", sentence: "It came with an old certificate, whose successor has been used.", fix: "if the device was restored from an old image, enrol it again; if it also comes with the new one, somebody has a copy of its old key", readOn: "docs/certificates.md#superseded", times: 3, lastAt: iso(-9e6), remoteAddress: "192.0.2.81:5122", sure: true }, { kind: "handshake", cause: "CLIENT_REJECTED_OUR_CERTIFICATE", sentence: "The device says that our certificate is out of its time; ours is renewed by itself, so the device’s clock is probably wrong.", fix: "set its clock (NTP), or give it one before TLS", readOn: "docs/certificates.md#clocks", times: 1, lastAt: iso(-9.1e6), remoteAddress: "192.0.2.81:5119", sure: false }] } satisfies S["ConnectionDiagnosis"])],
    ["POST", /^\/certificates\/([^/]+)\/revoke$/, (c) => json(c, { ...certificates("meter-0002", iso)[0], status: "revoked" })],
    ["GET", /^\/authorities$/, (c) => json(c, { authorities: [{ name: "root", kind: "root", subject: "CN=Holdfast DEVELOPMENT Root", serial: "01", notBefore: iso(-1e9), notAfter: iso(6e11), sha256: "ab".padEnd(64, "3c"), development: true }, { name: "issuing", kind: "issuing", subject: "CN=Holdfast DEVELOPMENT Issuing 1", serial: "02", notBefore: iso(-1e9), notAfter: iso(1.5e11), sha256: "cd".padEnd(64, "5e"), development: true, crlUrl: "http://localhost:8081/crl/issuing.crl" }] })],
    ["GET", /^\/manufacturer-anchors$/, (c) => json(c, { anchors: size === 0 ? [] : [{ id: "an-1", name: "Tidewater Instruments", subject: "CN=Tidewater Device CA 2", notAfter: iso(3e11) }] })],
    ["GET", /^\/signing-keys$/, (c) => json(c, { keys: size === 0 ? [] : [{ id: "release-2026", name: "Release key 2026", algorithm: "ECDSA P-256", addedAt: iso(-8e8) }] })],
    ["GET", /^\/artifacts$/, (c) => json(c, { artifacts: city.releases.map((r) => r.artifact) })],
    ["GET", /^\/releases$/, (c) => page(c, city.releases, "releases")],
    ["GET", /^\/rollouts$/, (c) => page(c, city.rollouts, "rollouts")],
    ["POST", /^\/rollouts$/, (c) => json(c, city.rollouts[0], 201)],
    ["GET", /^\/rollouts\/([^/]+)$/, (c) => { const r = city.rollouts.find((x) => x.id === c.match[1]); return r ? json(c, r) : problem(c, 404, "No such rollout", "No rollout has this id."); }],
    ["POST", /^\/rollouts\/([^/]+)\/(pause|resume|abort)$/, (c) => { const r = city.rollouts.find((x) => x.id === c.match[1]); if (!r) return problem(c, 404, "No such rollout", ""); r.state = ({ pause: "paused", resume: "running", abort: "aborted" } as const)[c.match[2] as "pause"]; send("rollout-changed", r); json(c, r); }],
    ["GET", /^\/rollouts\/([^/]+)\/devices$/, (c) => {
      const states: S["RolloutDeviceState"][] = ["healthy", "healthy", "installed", "downloading", "failed", "waiting"];
      const wanted = c.query.get("state");
      page(c, all().slice(1, 241).map((d, i): S["RolloutDevice"] => ({ device: d.id, batch: i < 20 ? 0 : i < 100 ? 1 : 2, state: states[i % 6] ?? "waiting", since: iso(-i * 30_000), ...(i % 6 === 4 ? { detail: "It started 3 times and fell back to 2.4.0" } : {}) })).filter((d) => !wanted || d.state === wanted), "devices");
    }],
    ["GET", /^\/stop-switch$/, (c) => json(c, city.stop)],
    ["PUT", /^\/stop-switch$/, (c) => { city.stop = c.body.stopped ? { stopped: true, reason: String(c.body.reason), by: "Mara Lindqvist", since: iso() } : { stopped: false }; if (city.rollouts[0]) send("rollout-changed", city.rollouts[0]); json(c, city.stop); }],
    ["GET", /^\/incidents$/, (c) => page(c, city.incidents.filter((i) => c.query.get("open") !== "true" || i.state !== "closed").map(summary), "incidents")],
    ["GET", /^\/incidents\/([^/]+)$/, (c) => { const i = city.incidents.find((x) => x.id === c.match[1]); return i ? json(c, i) : problem(c, 404, "No such incident", "No incident has this id."); }],
    ["POST", /^\/incidents\/([^/]+)\/(acknowledge|close|approve|undo)$/, (c) => { const i = city.incidents.find((x) => x.id === c.match[1]); if (!i) return problem(c, 404, "No such incident", ""); Object.assign(i, { acknowledge: { state: "acknowledged", acknowledgedBy: "Mara Lindqvist" }, close: { state: "closed", closedAt: iso() }, approve: { state: "open" }, undo: { canUndo: false, actions: i.actions.map((a) => ({ ...a, state: "undone" })) } }[c.match[2] as "close"], { updatedAt: iso() }); send("incident-changed", summary(i)); json(c, i); }],
    ["GET", /^\/findings$/, (c) => page(c, city.incidents.flatMap((i) => i.evidence), "findings")],
    ["GET", /^\/notification-channels$/, (c) => json(c, { channels: city.channels })],
    ["POST", /^\/notification-channels$/, (c) => { const ch = { id: `ch-${city.channels.length + 1}`, ...(c.body as object) } as S["NotificationChannel"]; city.channels = [...city.channels, ch]; json(c, { ...ch, ...(ch.kind === "webhook" ? { secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" } : {}) }, 201); }],
    ["DELETE", /^\/notification-channels\/([^/]+)$/, (c) => { city.channels = city.channels.filter((x) => x.id !== c.match[1]); c.response.writeHead(204).end(); }],
    ["POST", /^\/notification-channels\/([^/]+)\/test$/, (c) => c.response.writeHead(202).end()],
    ["GET", /^\/never-isolate$/, (c) => json(c, { selectors: city.never, devices: city.never.length * 7, etag: '"2"' })],
    ["PUT", /^\/never-isolate$/, (c) => { city.never = c.body.selectors as string[]; json(c, { selectors: city.never, devices: 14, etag: '"3"' }); }],
    ["GET", /^\/journal$/, (c) => page(c, city.journal.filter((e) => e.kind.startsWith(c.query.get("kind") ?? "") && e.subject.includes(c.query.get("subject") ?? "")), "entries", { head: { number: 8200, chainHash: "9d".padEnd(64, "b4") } })],
    ["GET", /^\/journal\/verify$/, (c) => json(c, { intact: true, entries: 8200, head: { number: 8200, chainHash: "9d".padEnd(64, "b4") }, sentence: "Every one of 8,200 entries is as it was written, in order, and none is missing." } satisfies S["JournalVerification"])],
    ["GET", /^\/server$/, (c) => json(c, { version: "0.1.0", now: iso(), startedAt: iso(-9e6), environment: "development", development: true, developmentBecause: ["no public host name is recorded", "no root ceremony is recorded"], listeners: [{ name: "operator", host: "127.0.0.1", port: 8080, tls: false, url: "http://localhost:8080" }, { name: "device", host: "0.0.0.0", port: 8443, tls: true, url: "https://localhost:8443" }, { name: "mqtt", host: "0.0.0.0", port: 8883, tls: true, url: "mqtts://localhost:8883" }, { name: "pki", host: "0.0.0.0", port: 8081, tls: false, url: "http://localhost:8081" }], checks: [{ name: "clock", result: "ok", sentence: "The clock is synchronised." }, { name: "disk", result: "warning", sentence: "7 % of the disk is free.", fix: "Free some space in ./data, or move it." }, { name: "database", result: "ok", sentence: "PostgreSQL 18 answers in 1 ms." }], switches: switches() } satisfies S["ServerStatus"])],
  ];

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://localhost");
    if (!url.pathname.startsWith("/api/v1/")) return serveFile(options.dist, url.pathname, response);
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const raw = Buffer.concat(chunks).toString("utf8");
      const path = url.pathname.slice("/api/v1".length);
      for (const [method, pattern, answer] of routes) {
        const match = request.method === method ? pattern.exec(path) : null;
        if (!match) continue;
        const body = raw.startsWith("{") ? (JSON.parse(raw) as Record<string, unknown>) : {};
        answer({ request, response, query: url.searchParams, match: [...match], body, raw });
        return;
      }
      response.writeHead(404, { "content-type": "application/problem+json" }).end(JSON.stringify({ type: "about:blank", title: "Not in the mock", status: 404, detail: `${request.method} ${path} is not in the mock.` }));
    });
  });

  if (options.live !== false) {
    const timer = setInterval(() => {
      const list = all();
      const marks: S["DeviceMark"][] = [];
      for (let i = 0; i < 3 && list.length > 0; i++) {
        const d = list[Math.floor(rnd() * list.length)];
        if (!d || d.state !== "active") continue;
        d.health = d.health === "good" ? (rnd() < 0.5 ? "watch" : "good") : "good";
        marks.push(mark(d));
      }
      if (marks.length > 0) send("device-changed", { devices: marks });
      send("fleet", counters());
    }, 1000);
    server.on("close", () => clearInterval(timer));
  }
  return new Promise((resolve) => server.listen(options.port, "127.0.0.1", () => {
    const address = server.address();
    resolve({ server, port: typeof address === "object" && address ? address.port : options.port, city });
  }));
}

/// A fleet that was enrolled in two waves; the second one is larger than can be renewed in its week.
function forecast(devices: number, weeks: boolean, days: number, iso: (offset?: number) => string): S["CertificateForecast"] {
  const step = weeks ? 604_800 : 86_400;
  const perHour = 1;
  const buckets: S["CertificateForecast"]["buckets"] = [];
  let before = 0;
  let cliff: S["CertificateForecast"]["cliff"];
  for (let i = 0; i < Math.floor((days * 86_400) / step); i++) {
    const at = (i * step) / 86_400;
    const wave = (day: number, width: number, share: number) => devices * share * Math.exp(-(((at - day) / width) ** 2)) * (weeks ? 7 : 1);
    const ending = Math.round(wave(14, 6, 0.012) + wave(24, 2, 0.14) + wave(70, 9, 0.018));
    const servable = Math.round((perHour * step) / 3600);
    before += ending;
    const late = Math.max(0, before - perHour * 24 * (at + step / 86_400));
    buckets.push({ from: iso(i * step * 1000), to: iso((i + 1) * step * 1000), ending, servable, late: Math.round(late) });
    if (late > 0 && !cliff) cliff = { at: iso((i + 1) * step * 1000), ending: before, servable: Math.round(before - late), lockedOut: Math.round(late), perHourNeeded: 2 };
  }
  const answer: S["CertificateForecast"]["answer"] = devices === 0
    ? { word: "good", sentence: "No device has a certificate yet." }
    : { word: "bad", sentence: `No: ${cliff?.ending} certificates end by ${cliff?.at.slice(0, 10)}, and only ${cliff?.servable} can be renewed before; ${cliff?.lockedOut} devices would be locked out.`, advice: "Begin to renew now, those that end first before the others (holdfast cert rotate), and raise certificates.renewalsPerHour to at least 2." };
  return { at: iso(), answer, capacity: { perHour, measuredPerHour: 41 }, devices, ended: 0, beyond: 0, stepSeconds: step, buckets, ...(cliff && devices > 0 ? { cliff } : {}) };
}

function rollover(iso: (offset?: number) => string): S["Rollover"] {
  return { id: "8e504aa004d5", kind: "root", phase: "ready", old: "root-1", new: "root-2", reason: "twenty years are nearly over", startedBy: "Mara Lindqvist", startedAt: iso(-7_200_000), perHour: 36_000 };
}

function certificates(device: string, iso: (offset?: number) => string): S["Certificate"][] {
  const serial = (n: number) => `4f9a11c07be2d553${device.replace(/\D/g, "").padStart(4, "0")}${n}c8a`;
  const base = { device, environment: "development", subject: `CN=${device}`, issuer: "CN=Holdfast DEVELOPMENT Issuing 1", profile: "device" };
  return [
    { ...base, serial: serial(3), status: "valid", notBefore: iso(-5e8), notAfter: iso(7e9), issuedAt: iso(-5e8) },
    { ...base, serial: serial(2), status: "superseded", notBefore: iso(-3e9), notAfter: iso(5e9), issuedAt: iso(-3e9) },
    { ...base, serial: serial(1), status: "revoked", notBefore: iso(-9e9), notAfter: iso(-1e9), issuedAt: iso(-9e9), revokedAt: iso(-4e9), revocationCode: "keyCompromise" },
  ];
}

function serveFile(dist: string, path: string, response: ServerResponse): void {
  const wanted = normalize(join(dist, decodeURIComponent(path)));
  const file = wanted.startsWith(dist) && existsSync(wanted) && statSync(wanted).isFile() ? wanted : join(dist, "index.html");
  response.writeHead(200, {
    "content-type": TYPES[extname(file)] ?? "application/octet-stream", "content-security-policy": CSP, "x-content-type-options": "nosniff", "referrer-policy": "no-referrer", "cross-origin-opener-policy": "same-origin",
  });
  if (file.endsWith("index.html")) response.end(readFileSync(file));
  else createReadStream(file).pipe(response);
}

if (process.argv[1]?.endsWith("mock.ts")) {
  const { port } = await startMock({ port: Number(process.env.PORT ?? 8090), dist: join(import.meta.dirname, "../dist"), devices: Number(process.env.DEVICES ?? 2000), signedIn: process.env.SIGNED_OUT !== "1" });
  console.log(`The made-up city is at http://localhost:${port}`);
}
