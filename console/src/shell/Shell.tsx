import { Dialog } from "@base-ui/react/dialog";
import { useQuery, useQueryClient, type QueryClient } from "@tanstack/react-query";
import { Link, Outlet, useRouterState } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { api, must, ProblemError } from "../api/client";
import { live, useLink } from "../api/live";
import { keys, meQuery, overviewQuery, serverQuery } from "../api/queries";
import { Mark, State } from "../parts/Mark";
import { say, Toasts } from "../parts/toasts";
import { AutoIcon, CityIcon, DevicesIcon, Holdfast, IncidentsIcon, MoonIcon, MoreIcon, RolloutsIcon, SunIcon } from "./icons";
import { setDensity, setTheme, useDensity, useTheme } from "./theme";

const MAIN = [
  { to: "/", label: "City", icon: CityIcon },
  { to: "/devices", label: "Devices", icon: DevicesIcon },
  { to: "/rollouts", label: "Rollouts", icon: RolloutsIcon },
  { to: "/incidents", label: "Incidents", icon: IncidentsIcon },
] as const;
const TRUST = [
  { to: "/firmware", label: "Firmware" },
  { to: "/certificates", label: "Certificates" },
  { to: "/journal", label: "Journal" },
] as const;
const HOUSE = [
  { to: "/notifications", label: "Notifications" },
  { to: "/operators", label: "Operators" },
  { to: "/server", label: "This server" },
] as const;

/// What stands around every page for a signed-in operator.
export function Shell() {
  const queries = useQueryClient();
  const overview = useQuery(overviewQuery);
  const pathname = useRouterState({ select: (state) => state.location.pathname });
  const [first, setFirst] = useState(true);

  useEffect(() => {
    live.open(queries);
    return () => live.close();
  }, [queries]);

  // A new page is told to screen readers by moving to its heading; the first one is not, the browser says it itself.
  useEffect(() => {
    if (first) {
      setFirst(false); // eslint-disable-line react-hooks/set-state-in-effect
      return;
    }
    document.getElementById("content")?.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }, [pathname]); // eslint-disable-line react-hooks/exhaustive-deps

  const incidents = overview.data?.counters.openIncidents ?? 0;
  const rollouts = overview.data?.counters.activeRollouts ?? 0;
  const counts: Record<string, { n: number; neutral: boolean; word: string }> = {
    "/incidents": { n: incidents, neutral: false, word: "open" },
    "/rollouts": { n: rollouts, neutral: true, word: "active" },
  };
  const isHere = (to: string) => (to === "/" ? pathname === "/" : pathname === to || pathname.startsWith(`${to}/`));
  const item = (to: string, label: string, icon?: React.ReactNode) => {
    const badge = counts[to];
    return (
      <Link key={to} to={to} className="nav" aria-current={isHere(to) ? "page" : undefined}>
        {icon}
        <span>{label}</span>
        {badge && badge.n > 0 && (
          <span className={`count${badge.neutral ? " neutral" : ""}`}>
            {badge.n}
            <span className="sr"> {badge.word}</span>
          </span>
        )}
      </Link>
    );
  };

  return (
    <>
      <a className="skip" href="#content">Skip to the content</a>
      <div className="shell">
        <aside className="strip" aria-label="Notices"><Strips /></aside>
        <header className="topbar">
          <Link to="/" className="brand"><Holdfast />Holdfast</Link>
          <LiveState />
        </header>
        <nav className="rail" aria-label="Pages">
          <Link to="/" className="brand"><Holdfast />Holdfast</Link>
          {MAIN.map(({ to, label }) => item(to, label))}
          <div className="rail-group">Trust</div>
          {TRUST.map(({ to, label }) => item(to, label))}
          <div className="rail-group">House</div>
          {HOUSE.map(({ to, label }) => item(to, label))}
          <div className="rail-foot">
            <LiveState />
            <Preferences />
            <WhoAmI />
          </div>
        </nav>
        <main id="content" className="main" tabIndex={-1}>
          <Outlet />
        </main>
      </div>
      <nav className="tabbar" aria-label="Main pages">
        {MAIN.map(({ to, label, icon: Icon }) => item(to, label, <Icon />))}
        <MoreSheet here={pathname} item={item} />
      </nav>
      <Toasts />
    </>
  );
}

function MoreSheet({ here, item }: { here: string; item: (to: string, label: string) => React.ReactNode }) {
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(here);
  if (at !== here) {
    setAt(here);
    setOpen(false);
  }
  return (
    <Dialog.Root open={open} onOpenChange={setOpen}>
      <Dialog.Trigger aria-label="More pages and settings"><MoreIcon />More</Dialog.Trigger>
      <Dialog.Portal>
        <Dialog.Backdrop className="scrim" />
        <Dialog.Popup className="sheet">
          <Dialog.Title className="sr">More pages and settings</Dialog.Title>
          {[...TRUST, ...HOUSE].map(({ to, label }) => item(to, label))}
          <div className="rail-foot">
            <Preferences />
            <WhoAmI />
          </div>
          <Dialog.Close className="btn">Close</Dialog.Close>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function Strips() {
  const me = useQuery(meQuery);
  const server = useQuery({ ...serverQuery, enabled: me.data?.server.development === true });
  const overview = useQuery(overviewQuery);
  const switches = overview.data?.switches;
  return (
    <>
      {me.data?.server.development && (
        <div className="dev-strip" role="note">
          <Mark tone="watch" />
          <strong>DEVELOPMENT</strong>
          <span className="long">
            Not for production{server.data?.developmentBecause.length ? `: ${server.data.developmentBecause.join("; ")}` : ""}.
          </span>
        </div>
      )}
      {switches?.stopAll.stopped && (
        <div className="stop-strip" role="alert">
          <Mark tone="bad" />
          <span>
            <strong>Everything is stopped.</strong> No rollout and no rollback offers anything{switches.stopAll.reason ? `: ${switches.stopAll.reason}` : ""}.{" "}
            <Link to="/rollouts">Look and release</Link>
          </span>
        </div>
      )}
      {switches?.frozen && (
        <div className="stop-strip" role="alert">
          <Mark tone="bad" />
          <span><strong>Frozen.</strong> {switches.frozen}</span>
        </div>
      )}
    </>
  );
}

function LiveState() {
  const link = useLink();
  return (
    <span className="small live-state" role="status">
      {link === "live" ? <State tone="good">live</State> : link === "connecting" ? <State tone="unknown">connecting</State> : <State tone="bad">not live: retrying</State>}
    </span>
  );
}

function Preferences() {
  const theme = useTheme();
  const density = useDensity();
  return (
    <div className="row wrap">
      <div className="seg" role="group" aria-label="Colours">
        <button type="button" aria-pressed={theme === "auto"} aria-label="As the system" title="As the system" onClick={() => setTheme("auto")}><AutoIcon /></button>
        <button type="button" aria-pressed={theme === "light"} aria-label="Light" title="Light" onClick={() => setTheme("light")}><SunIcon /></button>
        <button type="button" aria-pressed={theme === "dark"} aria-label="Dark" title="Dark" onClick={() => setTheme("dark")}><MoonIcon /></button>
      </div>
      <button type="button" className="btn bare" aria-pressed={density === "roomy"} onClick={() => setDensity(density === "roomy" ? "dense" : "roomy")}>
        {density === "roomy" ? "Roomy" : "Dense"}
        <span className="sr"> spacing; press to change</span>
      </button>
    </div>
  );
}

/// The server ends the session; then the way in is shown, and what was fetched as that person is forgotten.
async function signOut(queries: QueryClient): Promise<void> {
  try {
    await must(api.DELETE("/session"));
  } catch (error) {
    if (!(error instanceof ProblemError) || error.problem.status !== 401) {
      say("bad", error instanceof Error ? error.message : "Signing out failed.");
      return;
    }
  }
  live.close();
  queries.setQueryData(meQuery.queryKey, (me) => (me ? { signedIn: false, server: me.server } : me));
  queries.removeQueries({ predicate: (query) => query.queryKey[0] !== keys.me[0] });
  await queries.invalidateQueries({ queryKey: keys.me });
}

function WhoAmI() {
  const queries = useQueryClient();
  const me = useQuery(meQuery);
  return (
    <div className="stack-s small">
      <Link to="/me" className="plain break">
        {me.data?.name ?? "…"} <span className="quiet">{me.data?.role}</span>
      </Link>
      <div>
        <button
          type="button"
          className="btn bare signout"
          onClick={() => void signOut(queries)}
        >
          Sign out
        </button>
      </div>
    </div>
  );
}
