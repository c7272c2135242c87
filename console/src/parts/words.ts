import type { Schemas } from "../api/client";
import type { Tone } from "./Mark";

/// Every state of the API as its word and its tone; a state that is added there fails the compilation here.

export const DEVICE_STATES: Record<Schemas["DeviceState"], { word: string; tone: Tone; meaning: string }> = {
  registered: { word: "registered", tone: "unknown", meaning: "Known to us, not enrolled yet." },
  enrolled: { word: "enrolled", tone: "unknown", meaning: "Has a certificate, has not connected yet." },
  active: { word: "active", tone: "good", meaning: "May connect and do its work." },
  quarantined: { word: "isolated", tone: "held", meaning: "Reaches only what heals it: renewal, attestation, healing updates." },
  suspended: { word: "suspended", tone: "held", meaning: "Refused everywhere: its identity is in doubt." },
  retired: { word: "retired", tone: "calm", meaning: "Out of service for ever." },
};

export const HEALTH: Record<Schemas["Health"], { word: string; tone: Tone }> = {
  good: { word: "well", tone: "good" },
  watch: { word: "watch", tone: "watch" },
  bad: { word: "in trouble", tone: "bad" },
  unknown: { word: "not known", tone: "unknown" },
};

export const SEVERITIES: Record<Schemas["Severity"], { word: string; tone: Tone }> = {
  critical: { word: "critical", tone: "bad" },
  high: { word: "high", tone: "bad" },
  medium: { word: "medium", tone: "watch" },
  low: { word: "low", tone: "calm" },
};

/// Risk is what would follow if a device turned, not that it has: the cross of trouble belongs to trouble alone, or
/// every gateway would look broken at night.
export const RISKS: Record<Schemas["Risk"]["level"], { word: string; tone: Tone }> = {
  critical: { word: "critical", tone: "bad" },
  high: { word: "high", tone: "watch" },
  medium: { word: "medium", tone: "calm" },
  low: { word: "low", tone: "calm" },
  unknown: { word: "not assessed", tone: "unknown" },
};

export const ROLLOUT_STATES: Record<Schemas["RolloutState"], { word: string; tone: Tone; ended: boolean }> = {
  running: { word: "running", tone: "good", ended: false },
  paused: { word: "paused", tone: "watch", ended: false },
  "rolling-back": { word: "rolling back", tone: "bad", ended: false },
  "rolled-back": { word: "rolled back", tone: "bad", ended: true },
  finished: { word: "finished", tone: "good", ended: true },
  aborted: { word: "aborted", tone: "calm", ended: true },
  stopped: { word: "stopped", tone: "bad", ended: false },
};

export const ROLLOUT_DEVICE_STATES: Record<Schemas["RolloutDeviceState"], { word: string; tone: Tone }> = {
  waiting: { word: "waiting", tone: "calm" },
  offered: { word: "offered", tone: "unknown" },
  downloading: { word: "downloading", tone: "unknown" },
  installed: { word: "installed, soaking", tone: "unknown" },
  healthy: { word: "healthy", tone: "good" },
  failed: { word: "failed", tone: "bad" },
  "timed-out": { word: "timed out", tone: "bad" },
  withdrawn: { word: "withdrawn", tone: "calm" },
  "rolling-back": { word: "rolling back", tone: "watch" },
  "rolled-back": { word: "rolled back", tone: "watch" },
};

export const BATCH_STATES: Record<Schemas["RolloutBatch"]["state"], { word: string; tone: Tone }> = {
  waiting: { word: "waiting", tone: "calm" },
  running: { word: "running", tone: "unknown" },
  soaking: { word: "soaking", tone: "unknown" },
  passed: { word: "passed", tone: "good" },
  failed: { word: "failed", tone: "bad" },
};

export const INCIDENT_STATES: Record<Schemas["IncidentState"], { word: string; tone: Tone }> = {
  open: { word: "open", tone: "bad" },
  "awaiting-approval": { word: "waits for approval", tone: "watch" },
  acknowledged: { word: "somebody has it", tone: "watch" },
  closed: { word: "closed", tone: "calm" },
};

export const PROVENANCES: Record<Schemas["Provenance"], { word: string; meaning: string }> = {
  proven: { word: "proven", meaning: "By cryptography, or by what we ourselves saw of the protocol." },
  observed: { word: "observed", meaning: "Seen by a registered gateway or sensor." },
  claimed: { word: "claimed", meaning: "Only said by the device or another one: never enough to isolate by itself." },
};

export const LEGS: Record<Schemas["Leg"]["state"], { word: string; tone: Tone }> = {
  enforced: { word: "enforced", tone: "good" },
  pending: { word: "pending", tone: "watch" },
  unavailable: { word: "not available", tone: "unknown" },
  lifted: { word: "lifted", tone: "calm" },
};

export const ACTIONS: Record<Schemas["IncidentAction"]["kind"], string> = {
  isolate: "Isolate the device",
  suspend: "Suspend the device",
  revoke: "Revoke its certificates",
  "halt-rollout": "Halt the rollout",
  "roll-back": "Roll back",
  notify: "Notify",
};

export const ACTION_STATES: Record<Schemas["IncidentAction"]["state"], { word: string; tone: Tone }> = {
  "awaiting-approval": { word: "waits for a person", tone: "watch" },
  planned: { word: "under way", tone: "watch" },
  done: { word: "done", tone: "good" },
  failed: { word: "failed", tone: "bad" },
  undone: { word: "undone", tone: "calm" },
  refused: { word: "refused", tone: "calm" },
  expired: { word: "ended by its time limit", tone: "calm" },
  healed: { word: "ended: it attested well", tone: "calm" },
};

export const CERTIFICATE_STATUS: Record<Schemas["CertificateStatus"], { word: string; tone: Tone; meaning: string }> = {
  valid: { word: "valid", tone: "good", meaning: "Its device may come in with it." },
  superseded: { word: "superseded", tone: "calm", meaning: "Its successor has been used; it is refused now." },
  revoked: { word: "revoked", tone: "bad", meaning: "Refused for ever, or on hold while its device is suspended." },
  expired: { word: "expired", tone: "watch", meaning: "Its time is over; by its profile it may still ask for its successor for a while." },
};

/// "DESTINATION_NOT_ALLOWED" as people say it: "Destination not allowed".
export function fact(cause: string): string {
  const words = cause.replaceAll(/[_-]+/g, " ").toLowerCase().trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
