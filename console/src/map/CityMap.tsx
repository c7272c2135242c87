import { useCallback, useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "react";
import type { Tone } from "../parts/Mark";
import { devicesPerCell, facesOf, type MapDevice, type MapDistrict } from "./groups";
import { planCity, type CityPlan } from "./layout";
import { paintCity, readPalette } from "./paint";
import { useThemeVersion } from "../shell/theme";

const WORDS: Record<MapDevice["health"], string> = { good: "well", watch: "watch", bad: "in trouble", unknown: "not known" };

/// The tone that a device has on the map and in its table twin.
export function faceTone(device: Pick<MapDevice, "health" | "held">): Tone {
  return device.held ? "held" : device.health;
}

export function faceWord(device: Pick<MapDevice, "health" | "held">): string {
  return device.held ? (device.health === "good" ? "isolated" : `isolated, ${WORDS[device.health]}`) : WORDS[device.health];
}

/// Room for a district's name and its count.
const plateWidth = (name: string): number => name.length * 7.4 + 44;

interface Spot {
  readonly district: number;
  readonly cell: number;
}

/// The city as hexagons, one per device (or per few, when they would become too small), by district.
///
/// Reachable by keyboard: arrow keys walk the cells, N goes to the next that is not well, Enter opens it.
export function CityMap({ districts, onOpen, onDistrict }: {
  districts: readonly MapDistrict[];
  onOpen: (id: string) => void;
  onDistrict: (name: string) => void;
}) {
  const frame = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(0);
  const [spot, setSpot] = useState<Spot | null>(null);
  const themeVersion = useThemeVersion();
  const help = useId();

  useLayoutEffect(() => {
    const element = frame.current;
    if (!element) return;
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry?.contentRect.width ?? 0)));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const total = districts.reduce((sum, d) => sum + d.devices.length, 0);
  const maxHeight = width < 560 ? Math.max(320, Math.min(460, width * 1.15)) : Math.max(380, Math.min(640, width * 0.62));
  const perCell = width > 0 ? devicesPerCell(total, width, maxHeight) : 1;

  // The plan depends on names and sizes only, so a change of health never moves a device.
  const shape = districts.map((d) => `${d.name}\u0000${Math.ceil(d.devices.length / perCell)}`).join("\u0001");
  const plan = useMemo<CityPlan>(() => {
    const sizes = shape === "" ? [] : shape.split("\u0001").map((part) => {
      const [name = "", cells = "0"] = part.split("\u0000");
      return { name, cells: Number(cells), plate: { width: plateWidth(name), height: 24 } };
    });
    return planCity(sizes, width, maxHeight);
  }, [shape, width, maxHeight]);

  const faces = useMemo(() => districts.filter((d) => d.devices.length > 0).map((d) => facesOf(d.devices, perCell)), [districts, perCell]);
  const shown = useMemo(() => districts.filter((d) => d.devices.length > 0), [districts]);

  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext("2d");
    if (!element || !context || plan.radius === 0) return;
    const id = requestAnimationFrame(() => {
      const ratio = window.devicePixelRatio || 1;
      const w = Math.round(plan.width * ratio);
      const h = Math.round(plan.height * ratio);
      if (element.width !== w || element.height !== h) {
        element.width = w;
        element.height = h;
      }
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      paintCity(context, plan, faces, readPalette(element.parentElement ?? document.body));
    });
    return () => cancelAnimationFrame(id);
  }, [plan, faces, themeVersion]);

  const cellAt = useCallback((x: number, y: number): Spot | null => {
    let best: Spot | null = null;
    let least = (plan.radius * 1.3) ** 2;
    plan.districts.forEach((district, d) => district.cells.forEach((cell, i) => {
      const far = (cell.x - x) ** 2 + (cell.y - y) ** 2;
      if (far < least) {
        least = far;
        best = { district: d, cell: i };
      }
    }));
    return best;
  }, [plan]);

  const members = (at: Spot | null): readonly MapDevice[] =>
    at ? (shown[at.district]?.devices.slice(at.cell * perCell, (at.cell + 1) * perCell) ?? []) : [];

  const step = (dx: number, dy: number) => {
    const from = spot ? plan.districts[spot.district]?.cells[spot.cell] : undefined;
    const start = from ?? { x: 0, y: 0 };
    let best: Spot | null = null;
    let least = Infinity;
    plan.districts.forEach((district, d) => district.cells.forEach((cell, i) => {
      const along = (cell.x - start.x) * dx + (cell.y - start.y) * dy;
      const aside = Math.abs((cell.x - start.x) * dy) + Math.abs((cell.y - start.y) * dx);
      if (from && along < plan.radius * 0.7) return;
      const cost = along + aside * 2.2;
      if (cost < least) {
        least = cost;
        best = { district: d, cell: i };
      }
    }));
    if (best) setSpot(best);
  };

  const next = () => {
    const all = plan.districts.flatMap((district, d) => district.cells.map((_, i) => ({ district: d, cell: i })));
    const here = spot ? all.findIndex((s) => s.district === spot.district && s.cell === spot.cell) : -1;
    for (let i = 1; i <= all.length; i++) {
      const candidate = all[(here + i) % all.length];
      const face = candidate && faces[candidate.district]?.[candidate.cell];
      if (candidate && face && (face.held || face.health !== "good")) {
        setSpot(candidate);
        return;
      }
    }
  };

  const onKeyDown = (event: React.KeyboardEvent) => {
    const moves: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const move = moves[event.key];
    if (move) {
      event.preventDefault();
      step(...move);
    } else if (event.key.toLowerCase() === "n" && !event.ctrlKey && !event.metaKey) {
      next();
    } else if (event.key === "Enter") {
      const first = worst(members(spot));
      if (first) onOpen(first.id);
    } else if (event.key === "Escape") {
      setSpot(null);
    }
  };

  const at = spot ? plan.districts[spot.district]?.cells[spot.cell] : undefined;
  const group = members(spot);
  const first = worst(group);
  const districtName = spot ? shown[spot.district]?.name : undefined;
  const words = first
    ? group.length === 1
      ? `${first.id}, ${districtName}: ${faceWord(first)}`
      : `${group.length} devices in ${districtName}, the worst ${first.id}: ${faceWord(first)}`
    : "";

  return (
    <div className="map">
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- a widget with a cursor of its own */}
      <div
        ref={frame}
        className="map-frame"
        // The map is one control with a cursor of its own, like a chart or a board.
        role="application"
        aria-label={`Map of ${total} devices in ${shown.length} districts`}
        aria-describedby={help}
        tabIndex={0} // eslint-disable-line jsx-a11y/no-noninteractive-tabindex
        onKeyDown={onKeyDown}
        onBlur={() => setSpot(null)}
      >
        <canvas
          ref={canvas}
          className="map-canvas"
          style={{ width: plan.width, height: plan.height }}
          onPointerMove={(event) => {
            const box = event.currentTarget.getBoundingClientRect();
            setSpot(cellAt(event.clientX - box.left, event.clientY - box.top));
          }}
          onPointerLeave={() => setSpot(null)}
          onClick={(event) => {
            const box = event.currentTarget.getBoundingClientRect();
            const hit = cellAt(event.clientX - box.left, event.clientY - box.top);
            const device = worst(members(hit));
            if (device) onOpen(device.id);
          }}
        />
        {at && (
          <>
            <span className="map-cursor" style={{ left: at.x, top: at.y, width: plan.radius * 2 + 6, height: plan.radius * 2 + 6 }} />
            {first && (
              <div className="tip map-tip" style={{ left: Math.min(Math.max(at.x, 90), plan.width - 90), top: at.y - plan.radius - 6 }} aria-hidden>
                {words}
              </div>
            )}
          </>
        )}
        {plan.districts.map((district, d) => {
          const troubled = shown[d]?.devices.filter((device) => device.held || device.health === "bad" || device.health === "watch").length ?? 0;
          return (
            <button
              key={district.name}
              type="button"
              className="plate"
              style={{ left: Math.max(plateWidth(district.name) / 2, Math.min(district.x, plan.width - plateWidth(district.name) / 2)), top: district.y }}
              onClick={() => onDistrict(district.name)}
              aria-label={`${district.name}${troubled > 0 ? ` ${troubled} of` : ", none of"} ${shown[d]?.devices.length ?? 0} devices need attention; show them`}
            >
              {district.name} {troubled > 0 && <b>{troubled}</b>}
            </button>
          );
        })}
      </div>
      <p className="sr" aria-live="polite">{words}</p>
      <div className="legend">
        <span><LegendCell face="good" />well</span>
        <span><LegendCell face="watch" />watch</span>
        <span><LegendCell face="bad" />in trouble</span>
        <span><LegendCell face="held" />isolated</span>
        <span><LegendCell face="unknown" />not known</span>
        <span className="grow" />
        <span id={help} className="legend-help">
          One cell is {perCell === 1 ? "one device" : `${perCell} devices, the worst shows`}. <span className="keys"><kbd>arrows</kbd> walk, <kbd>N</kbd> next that is not well, <kbd>Enter</kbd> opens.</span>
        </span>
      </div>
    </div>
  );
}

function worst(devices: readonly MapDevice[]): MapDevice | undefined {
  const rank = (d: MapDevice) => (d.held ? 10 : 0) + ["good", "unknown", "watch", "bad"].indexOf(d.health);
  return devices.reduce<MapDevice | undefined>((most, d) => (!most || rank(d) > rank(most) ? d : most), undefined);
}

const HEXAGON = "M8 1 14.100 4.500v7L8 15 1.900 11.500v-7z";

/// The cells as the canvas draws them, for the legend.
function LegendCell({ face }: { face: Tone }) {
  return (
    <svg className="legend-cell" viewBox="-2 -2 20 20" aria-hidden>
      {face === "good" && <path d={HEXAGON} fill="var(--good-fill)" transform="translate(2 2) scale(0.75)" />}
      {face === "unknown" && <path d={HEXAGON} fill="none" stroke="var(--unknown-fill)" strokeWidth="2" transform="translate(2.500 2.500) scale(0.68)" />}
      {face === "watch" && (
        <>
          <path d={HEXAGON} fill="var(--watch-fill)" />
          <path d="M8 4.500 11.600 10.600H4.400z" fill="var(--surface)" />
        </>
      )}
      {face === "bad" && (
        <>
          <path d={HEXAGON} fill="var(--bad-fill)" />
          <path d="M5.200 5.200l5.600 5.600M10.800 5.200l-5.600 5.600" stroke="var(--surface)" strokeWidth="1.900" />
        </>
      )}
      {face === "held" && (
        <>
          <path d={HEXAGON} fill="var(--bad-fill)" transform="translate(2.400 2.400) scale(0.7)" />
          <rect x="-0.500" y="-0.500" width="17" height="17" fill="none" stroke="var(--held)" strokeWidth="1.900" />
        </>
      )}
    </svg>
  );
}
