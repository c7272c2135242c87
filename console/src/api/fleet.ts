import type { Schemas } from "./client";
import type { MapDevice, MapDistrict } from "../map/groups";
import type { Health } from "../map/paint";

const HEALTH_LETTERS: Record<string, Health> = { g: "good", w: "watch", b: "bad", u: "unknown" };
const STATE_LETTERS: Record<string, Schemas["DeviceState"]> = { r: "registered", e: "enrolled", a: "active", q: "quarantined", s: "suspended", t: "retired" };

export interface FleetDevice extends MapDevice {
  readonly state: Schemas["DeviceState"];
  readonly connected: boolean;
}

export interface FleetDistrict extends MapDistrict {
  readonly devices: readonly FleetDevice[];
}

/// Every device of the map, kept current by the stream.
export class FleetColumns {
  private at = 0;
  private changes = 0;
  private whole: FleetDistrict[] = [];
  private place = new Map<string, { district: number; index: number }>();
  private readonly listeners = new Set<() => void>();

  /// Takes a whole map; an older one than is already there is ignored.
  load(map: Schemas["FleetMap"]): void {
    this.at = map.journal;
    const districts = map.districts.map((name) => ({ name: name || "No district", devices: [] as FleetDevice[] }));
    this.place = new Map();
    map.ids.forEach((id, i) => {
      const index = map.district[i] ?? 0;
      const district = districts[index];
      if (!district) return;
      const state = STATE_LETTERS[map.state[i] ?? ""] ?? "registered";
      this.place.set(id, { district: index, index: district.devices.length });
      district.devices.push({
        id,
        state,
        health: HEALTH_LETTERS[map.health[i] ?? ""] ?? "unknown",
        held: state === "quarantined" || state === "suspended",
        connected: map.connected[i] === "1",
      });
    });
    this.whole = districts;
    this.changed();
  }

  /// @returns whether all were known; when not, the map must be fetched again
  apply(marks: readonly Schemas["DeviceMark"][]): boolean {
    if (this.whole.length === 0 && this.at === 0) return true;
    let known = true;
    const touched = new Map<number, FleetDevice[]>();
    for (const mark of marks) {
      const place = this.place.get(mark.id);
      if (!place) {
        known = false;
        continue;
      }
      let devices = touched.get(place.district);
      if (!devices) {
        devices = [...(this.whole[place.district]?.devices ?? [])];
        touched.set(place.district, devices);
      }
      devices[place.index] = {
        id: mark.id,
        state: mark.state,
        health: mark.health,
        held: mark.state === "quarantined" || mark.state === "suspended",
        connected: mark.connected,
      };
    }
    if (touched.size > 0) {
      this.whole = this.whole.map((district, i) => {
        const devices = touched.get(i);
        return devices ? { ...district, devices } : district;
      });
      this.changed();
    }
    return known;
  }

  districts(): readonly FleetDistrict[] {
    return this.whole;
  }

  private changed(): void {
    this.changes++;
    this.listeners.forEach((listener) => listener());
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };
  readonly version = (): number => this.changes;
}
