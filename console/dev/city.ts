/// A made-up city for development and for the console's own tests; never shipped. Everything follows from the seed.
import type { components } from "../target/schema";

type S = components["schemas"];
type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const DISTRICTS = ["Harbour", "Old Town", "Northfield", "Riverside", "Mills", "Airport"];
const ENVIRONMENT = "development";
const MODEL = "kwh-3";

export interface City {
  readonly devices: Map<string, Mutable<S["Device"]>>;
  readonly incidents: Mutable<S["Incident"]>[];
  readonly rollouts: Mutable<S["Rollout"]>[];
  readonly releases: S["Release"][];
  readonly journal: S["JournalEntry"][];
  stop: S["StopSwitch"];
  channels: S["NotificationChannel"][];
  never: string[];
  readonly started: number;
}

export function makeCity(seed: number, size: number): City {
  const rnd = random(seed);
  const now = Date.now();
  const ago = (seconds: number) => new Date(now - seconds * 1000).toISOString();
  const devices = new Map<string, Mutable<S["Device"]>>();
  const weights = DISTRICTS.map(() => 0.6 + rnd());
  const sum = weights.reduce((a, b) => a + b, 0);
  let n = 0;
  DISTRICTS.forEach((district, d) => {
    const share = d === DISTRICTS.length - 1 ? size - n : Math.round(((weights[d] ?? 1) / sum) * size);
    for (let i = 0; i < share; i++) {
      n++;
      const id = `meter-${String(n).padStart(4, "0")}`;
      const dice = rnd();
      const health: S["Health"] = dice < 0.965 ? "good" : dice < 0.98 ? "unknown" : dice < 0.994 ? "watch" : "bad";
      devices.set(id, {
        id,
        environment: ENVIRONMENT,
        model: MODEL,
        labels: { district, site: `${district.toLowerCase().replace(" ", "-")}-${1 + Math.floor(i / 60)}` },
        state: "active",
        stateSince: ago(6 * 86400 + rnd() * 80000),
        stateReason: "first connection with its own certificate",
        registeredAt: ago(7 * 86400 + rnd() * 80000),
        firmware: rnd() < 0.3 ? "2.5.0" : "2.4.0",
        firmwareAt: ago(rnd() * 400000),
        risk: health === "bad" ? { level: "high", reasons: ["An open incident of severity high", "Firmware is one release behind"] } : rnd() < 0.7 ? { level: "low", reasons: [] } : { level: "medium", reasons: ["Firmware is one release behind"] },
        lastContact: ago(health === "unknown" ? 1800 + rnd() * 9000 : rnd() * 50),
        health,
        healthReason: { good: "Heard within its interval; readings within their bands.", watch: "Voltage is outside its own history since 12 minutes.", bad: "A finding of severity high is open.", unknown: "Not heard for longer than three intervals." }[health],
        connected: health !== "unknown",
        openIncidents: 0,
        etag: '"1"',
      });
    }
  });

  const pick = (district: string) => {
    const own = [...devices.values()].filter((d) => d.labels.district === district);
    return own[Math.floor(rnd() * Math.min(40, own.length))] as Mutable<S["Device"]>;
  };
  const hostile = pick("Harbour");
  const clone = pick("Old Town");
  const odd = pick("Mills");
  const legs = (network: S["Leg"]["state"], at: string): S["Legs"] => ({
    session: { state: "enforced", at, detail: "1 session cut" },
    identity: { state: "enforced", at, detail: "Only renewal, attestation and healing updates are answered" },
    network: network === "enforced" ? { state: network, at, detail: "gateway-harbour-1 drops its packets" } : { state: network, detail: "It reaches us through no gateway of ours" },
  });
  const hostileAt = ago(412.8);
  const cutAt = ago(412.1);
  Object.assign(hostile, {
    state: "quarantined", health: "bad", stateSince: cutAt, stateUntil: new Date(now + 86_000_000).toISOString(), connected: false, openIncidents: 1,
    stateReason: "Incident inc-41: it opened connections to 23 addresses outside its model's allowed flows", healthReason: "Isolated: it opened connections to 23 addresses outside its model's allowed flows.",
    legs: legs("enforced", cutAt), reachesVia: "gateway-harbour-1",
    risk: { level: "critical", reasons: ["An open incident of severity critical", "Destinations outside its allowed flows, observed by its gateway", "Firmware is one release behind"] },
  } satisfies Partial<S["Device"]>);
  Object.assign(clone, {
    state: "suspended", health: "bad", stateSince: ago(5400), connected: false, openIncidents: 1, stateReason: "Incident inc-40: two places used its identity in turn",
    healthReason: "Suspended: two places used its identity in turn.", legs: legs("unavailable", ago(5400)),
  } satisfies Partial<S["Device"]>);
  Object.assign(odd, { health: "watch", openIncidents: 1, healthReason: "Voltage is outside its own history since 12 minutes." });
  const [first] = devices.values();
  if (first) {
    Object.assign(first, { state: "registered", health: "unknown", connected: false, lastContact: undefined, firmware: undefined, firmwareAt: undefined, stateReason: "registered", healthReason: "Not enrolled yet.", risk: { level: "unknown", reasons: [] } } satisfies Partial<S["Device"]>);
  }

  const finding = (device: string, cause: string, severity: S["Severity"], provenance: S["Provenance"], seconds: number, expected: string, seen: string): S["Finding"] => ({
    id: `f-${device}-${cause}`, device, cause, severity, provenance, score: 0.97, since: ago(seconds + 30), at: ago(seconds), expected, seen,
  });
  const incidents: Mutable<S["Incident"]>[] = [
    {
      id: "inc-41", environment: ENVIRONMENT, title: `${hostile.id} contacts addresses it has no business with`, device: hostile.id, cause: "DESTINATION_FAN_OUT", severity: "critical", provenance: "observed",
      state: "open", openedAt: ago(412.6), updatedAt: ago(411), findings: 2, action: "Isolated in 0.7 s", hostileActAt: hostileAt, canUndo: true,
      undoSentence: `${hostile.id} becomes active again, may connect at once, and its gateway forwards its packets again.`,
      evidence: [
        finding(hostile.id, "DESTINATION_FAN_OUT", "critical", "observed", 412.8, "Flows to 10.20.0.0/24 port 8883 tcp only (model kwh-3)", "23 addresses in 8 s, among them 198.51.100.7:23 and 203.0.113.40:2323 tcp"),
        finding(hostile.id, "FORBIDDEN_TOPIC_REPEATED", "high", "proven", 410, `Topics under d/${hostile.id}/ only`, "5 publications to d/meter-0007/cmd in one session"),
      ],
      actions: [
        { id: "a1", kind: "isolate", state: "done", reason: "Playbook: hostile traffic, observed", plannedAt: ago(412.5), doneAt: cutAt, until: new Date(now + 86_000_000).toISOString(), automatic: true, legs: legs("enforced", cutAt) },
        { id: "a2", kind: "notify", state: "done", reason: "Severity critical", plannedAt: ago(412.5), doneAt: ago(411), automatic: true },
      ],
      history: [],
    },
    {
      id: "inc-40", environment: ENVIRONMENT, title: `Two places use the identity of ${clone.id}`, device: clone.id, cause: "IDENTITY_USED_IN_TWO_PLACES", severity: "critical", provenance: "proven", state: "acknowledged", acknowledgedBy: "Mara Lindqvist",
      openedAt: ago(5402), updatedAt: ago(5000), findings: 1, action: "Suspended in 0.2 s", hostileActAt: ago(5402.2), canUndo: true, undoSentence: `${clone.id} may connect again with the certificate it has.`,
      evidence: [finding(clone.id, "IDENTITY_USED_IN_TWO_PLACES", "critical", "proven", 5402.2, "One place at a time speaks with one identity", "10.20.0.44 and 192.0.2.81 sent in turn, 6 times in 4 s")],
      actions: [{ id: "a1", kind: "suspend", state: "done", reason: "Playbook: identity in doubt", plannedAt: ago(5402.1), doneAt: ago(5402), automatic: true, legs: legs("unavailable", ago(5402)) }],
      history: [],
    },
    {
      id: "inc-39", environment: ENVIRONMENT, title: "11 more devices would have to be isolated: past the limit of this hour", cause: "PORT_SCAN", severity: "high", provenance: "observed", state: "awaiting-approval", device: odd.id,
      openedAt: ago(720), updatedAt: ago(600), findings: 3, action: "Waits: the limit of 20 an hour is used up", canUndo: false,
      evidence: [finding(odd.id, "PORT_SCAN", "high", "observed", 720, "No unanswered connections", "214 ports of 10.20.3.9 in 60 s")],
      actions: [{ id: "a1", kind: "isolate", state: "awaiting-approval", reason: "Playbook: port scan, observed", plannedAt: ago(700), automatic: true, waitsBecause: "20 of 20 automatic isolations of this hour are used" }],
      history: [],
    },
    {
      id: "inc-38", environment: ENVIRONMENT, title: "Release kwh-3 2.4.1 failed at its canary", rollout: "ro-2", cause: "ROLLOUT_GATE_FAILED", severity: "high", provenance: "proven", state: "closed", openedAt: ago(90_000), updatedAt: ago(80_000), closedAt: ago(80_000), findings: 4,
      action: "Rolled back, 9 devices exposed", canUndo: false, evidence: [], actions: [{ id: "a1", kind: "roll-back", state: "done", reason: "4 of 9 decided devices failed", plannedAt: ago(90_000), doneAt: ago(89_000), automatic: true }], history: [],
    },
  ];
  incidents.forEach((incident) => {
    incident.history = [
      { at: incident.updatedAt, kind: "change", title: incident.action ?? "changed", actor: "Holdfast" },
      { at: incident.openedAt, kind: "incident", title: "Incident opened", actor: "Holdfast", journal: 8000 },
    ];
  });

  const release = (id: string, version: string, counter: number, seconds: number): S["Release"] => ({
    id, environment: ENVIRONMENT, model: MODEL, version, hardware: "kwh-3-revB", securityCounter: counter, format: "manifest", signedBy: "release-2026", createdAt: ago(seconds), createdBy: "Mara Lindqvist",
    artifact: { sha256: "3f9a".padEnd(64, "7c1e"), name: `kwh-3-${version}.bin`, size: 1_310_720, uploadedAt: ago(seconds + 60) },
  });
  const releases = [release("rel-3", "2.5.0", 7, 7000), release("rel-2", "2.4.1", 7, 100_000), release("rel-1", "2.4.0", 7, 700_000)];

  const counts = (total: number, part: Partial<S["RolloutCounts"]>): S["RolloutCounts"] => {
    const rest = { undecided: 0, healthy: 0, failed: 0, withdrawn: 0, rolledBack: 0, ...part };
    return { total, ...rest, waiting: total - rest.undecided - rest.healthy - rest.failed - rest.withdrawn - rest.rolledBack };
  };
  const plan: S["RolloutPlan"] = {
    staging: "site=lab",
    batches: [{ name: "canary", devices: 20 }, { name: "early", percent: 10 }, { name: "half", percent: 50 }, { name: "all", percent: 100 }],
    inFlight: 40, soak: "PT10M", healthWindow: "PT5M", timeout: "PT2H", errorThreshold: 0.05,
  };
  const q = (share: number) => Math.round(size * share);
  const running: Mutable<S["Rollout"]> = {
    id: "ro-3", environment: ENVIRONMENT, release: "rel-3", version: "2.5.0", model: MODEL, state: "running", sentence: `Batch 3 of 4 (half): ${q(0.3)} of ${q(0.4)} healthy, 38 undecided.`,
    counts: counts(size, { healthy: q(0.4), undecided: 38, failed: 3 }), exposed: q(0.4) + 41, currentBatch: 2, batchCount: 4, createdAt: ago(6400), createdBy: "Mara Lindqvist",
    plan, selector: "", reason: "Fixes the tariff clock; counter stays", previousRelease: "rel-1", previousVersion: "2.4.0", etag: '"9"',
    batches: [
      { index: 0, name: "canary", state: "passed", counts: counts(20, { healthy: 20 }), startedAt: ago(6400), endedAt: ago(5600) },
      { index: 1, name: "early", state: "passed", counts: counts(q(0.1), { healthy: q(0.1) - 1, failed: 1 }), startedAt: ago(5600), endedAt: ago(3900) },
      { index: 2, name: "half", state: "running", counts: counts(q(0.4), { healthy: q(0.3), undecided: 38, failed: 2 }), startedAt: ago(3900) },
      { index: 3, name: "all", state: "waiting", counts: counts(q(0.5) - 20, {}) },
    ],
    gate: { enabled: true, verdict: "wait", sentence: `Will stop if ${Math.ceil(q(0.3) * 0.05)} more devices of this batch fail: 2 of ${q(0.3) + 2} decided failed (0.3 %), the threshold is 5 %.`, failed: 2, decided: q(0.3) + 2, failuresToStop: Math.ceil(q(0.3) * 0.05), threshold: 0.05, undecided: 38, inFlight: 40 },
    exposure: { devices: q(0.4) + 41, bytesServed: (q(0.4) + 41) * 1_310_720 },
  };
  const bad: Mutable<S["Rollout"]> = {
    id: "ro-2", environment: ENVIRONMENT, release: "rel-2", version: "2.4.1", model: MODEL, state: "rolled-back", stateReason: "4 of 9 decided devices failed: past the threshold of 5 %", sentence: "Stopped at the canary and rolled back: 9 devices were exposed, none still runs it.",
    counts: counts(size, { rolledBack: 9, withdrawn: size - 9 }), exposed: 9, currentBatch: 0, batchCount: 4, createdAt: ago(91_000), createdBy: "Mara Lindqvist", endedAt: ago(89_000), plan, selector: "", reason: "New radio driver", previousRelease: "rel-1", previousVersion: "2.4.0", etag: '"4"', incident: "inc-38",
    batches: [
      { index: 0, name: "canary", state: "failed", counts: counts(20, { rolledBack: 9, withdrawn: 11 }), startedAt: ago(91_000), endedAt: ago(90_000) },
      ...["early", "half", "all"].map((name, i): S["RolloutBatch"] => ({ index: i + 1, name, state: "waiting", counts: counts(q([0.1, 0.4, 0.5][i] ?? 0), { withdrawn: q([0.1, 0.4, 0.5][i] ?? 0) }) })),
    ],
    gate: { enabled: true, verdict: "roll-back", sentence: "Stopped: 4 of 9 decided devices failed (44 %), the threshold is 5 %.", failed: 4, decided: 9, failuresToStop: 0, threshold: 0.05, undecided: 0, inFlight: 40 },
    exposure: { devices: 9, bytesServed: 9 * 1_310_720, bytesAfterStop: 0, stoppedAt: ago(90_000), stopCompleteAt: ago(89_998.4) },
  };
  const done: Mutable<S["Rollout"]> = {
    ...running, id: "ro-1", release: "rel-1", version: "2.4.0", state: "finished", sentence: `Every one of ${size} devices is healthy on it.`, counts: counts(size, { healthy: size }), exposed: size, currentBatch: 3, createdAt: ago(600_000), endedAt: ago(500_000), previousVersion: "2.3.2",
    batches: running.batches.map((b) => ({ ...b, state: "passed" as const, counts: counts(b.counts.total, { healthy: b.counts.total }), endedAt: ago(520_000) })),
    gate: { enabled: true, verdict: "advance", sentence: "Passed every batch.", failed: 0, decided: size, threshold: 0.05, undecided: 0, inFlight: 40 }, exposure: { devices: size },
  };

  const journal: S["JournalEntry"][] = [];
  const kinds = ["device.registered", "certificate.issued", "device.active", "device.firmware-reported", "rollout.batch-passed", "incident.opened", "device.quarantined"];
  for (let number = 8200; number > 7900; number--) {
    const device = `meter-${String(1 + Math.floor(rnd() * size)).padStart(4, "0")}`;
    const kind = kinds[Math.floor(rnd() * kinds.length)] ?? "device.registered";
    journal.push({ number, at: ago((8200 - number) * 37), kind, environment: ENVIRONMENT, subject: `device:${device}`, actor: kind === "incident.opened" ? "system:detection" : `device:${device}`, reason: kind === "device.firmware-reported" ? "the device reported its firmware" : "its first connection", body: { version: "2.5.0", before: "2.4.0" } });
  }
  return {
    devices, incidents, rollouts: [running, bad, done], releases, journal, stop: { stopped: false }, never: ["kind=gateway", "site=hospital"], started: now,
    channels: [
      { id: "ch-1", kind: "webhook", name: "Pager of the night shift", url: "https://pager.example/holdfast", minimumSeverity: "high", pending: 0, lastDeliveredAt: ago(411) },
      { id: "ch-2", kind: "email", name: "Security office", to: "security@city.example", minimumSeverity: "low", pending: 3, lastDeliveredAt: ago(9000), lastError: "Connection refused by mail.city.example:25" },
    ],
  };
}
