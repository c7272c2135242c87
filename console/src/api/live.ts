import type { QueryClient } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";
import type { Schemas } from "./client";
import { keys } from "./queries";
import { FleetColumns } from "./fleet";

/// The stream of changes, one per page, and what follows from each.
///
/// Marks of devices are gathered and applied four times a second at most, however fast they come; lists and details
/// are fetched again, throttled, rather than patched, so that what is shown is always what the server would say.
export type Link = "connecting" | "live" | "lost";

const BATCH_MILLIS = 250;
const REFRESH_MILLIS = 1000;

class LiveStream {
  private source: EventSource | null = null;
  private link: Link = "connecting";
  private readonly listeners = new Set<() => void>();
  private marks = new Map<string, Schemas["DeviceMark"]>();
  private flushTimer: ReturnType<typeof setTimeout> | null = null;
  private readonly waiting = new Map<string, ReturnType<typeof setTimeout>>();
  readonly fleet = new FleetColumns();

  constructor(private queries: QueryClient | null = null) {}

  open(queries: QueryClient): void {
    if (this.source) return;
    this.queries = queries;
    const source = new EventSource("/api/v1/stream");
    this.source = source;
    source.onopen = () => this.set("live");
    source.onerror = () => {
      this.set(source.readyState === EventSource.CLOSED ? "lost" : "connecting");
      if (source.readyState === EventSource.CLOSED) {
        this.source = null;
        setTimeout(() => this.queries && this.open(this.queries), 5000);
      }
    };
    this.on<Schemas["StreamHello"]>("hello", (hello) => {
      if (hello.resync) void queries.invalidateQueries();
    });
    this.on<Schemas["DeviceMarks"]>("device-changed", ({ devices }) => this.mark(devices));
    this.on<Schemas["FleetCounters"]>("fleet", (counters) => {
      queries.setQueryData<Schemas["FleetOverview"]>(keys.overview, (old) => (old ? { ...old, at: counters.at, counters } : old));
    });
    this.on<Schemas["IncidentSummary"]>("incident-changed", (incident) => {
      this.refresh(["incidents"]);
      this.refresh(["incident", incident.id]);
      this.refresh(keys.overview);
      if (incident.device) this.refresh(["device", incident.device]);
    });
    this.on<Schemas["RolloutSummary"]>("rollout-changed", (rollout) => {
      this.refresh(["rollouts"]);
      this.refresh(["rollout", rollout.id]);
      this.refresh(keys.overview);
    });
    this.on<Schemas["Finding"]>("finding", (finding) => this.refresh(["device", finding.device]));
  }

  close(): void {
    this.source?.close();
    this.source = null;
    this.set("connecting");
  }

  private on<T>(name: string, take: (data: T) => void): void {
    this.source?.addEventListener(name, (event) => take(JSON.parse((event as MessageEvent<string>).data) as T));
  }

  private mark(devices: readonly Schemas["DeviceMark"][]): void {
    devices.forEach((device) => this.marks.set(device.id, device));
    this.flushTimer ??= setTimeout(() => {
      this.flushTimer = null;
      const batch = [...this.marks.values()];
      this.marks = new Map();
      if (!this.fleet.apply(batch)) this.refresh(["fleet", "map"]);
      batch.slice(0, 50).forEach((device) => this.refresh(["device", device.id]));
      this.refresh(keys.overview);
      this.refresh(["devices"], 3000);
    }, BATCH_MILLIS);
  }

  /// Fetches what is shown under a key again, at most once per interval.
  private refresh(key: readonly string[], millis = REFRESH_MILLIS): void {
    const name = key.join("\u0000");
    if (this.waiting.has(name)) return;
    this.waiting.set(
      name,
      setTimeout(() => {
        this.waiting.delete(name);
        void this.queries?.invalidateQueries({ queryKey: key });
      }, millis),
    );
  }

  private set(link: Link): void {
    if (this.link === link) return;
    this.link = link;
    this.listeners.forEach((listener) => listener());
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };
  readonly state = (): Link => this.link;
}

export const live = new LiveStream();

export function useLink(): Link {
  return useSyncExternalStore(live.subscribe, live.state);
}

/// The fleet's columns; the number changes whenever anything in them did.
export function useFleetVersion(): number {
  return useSyncExternalStore(live.fleet.subscribe, live.fleet.version);
}
