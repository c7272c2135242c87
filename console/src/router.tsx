import type { QueryClient } from "@tanstack/react-query";
import { useQuery } from "@tanstack/react-query";
import { createRootRouteWithContext, createRoute, createRouter, lazyRouteComponent, Link } from "@tanstack/react-router";
import { DEVICE_SORTS, meQuery, type DeviceFilter, type IncidentScope } from "./api/queries";
import { Overview } from "./pages/Overview";
import { SignIn } from "./pages/SignIn";
import { Page, ProblemNotice } from "./parts/Page";
import { Shell } from "./shell/Shell";

interface Context {
  readonly queries: QueryClient;
}

/// The way in, or the console: decided by what the server says of us, never by what the page remembers.
function Gate() {
  const me = useQuery(meQuery);
  if (me.error && !me.data) return <div className="way-in"><ProblemNotice error={me.error} retry={() => void me.refetch()} /></div>;
  if (!me.data) return <div className="way-in" role="status" aria-label="Loading" />;
  return me.data.signedIn ? <Shell /> : <SignIn me={me.data} />;
}

function NotFound() {
  return (
    <Page title="Not here" question="What is at this address?" answer="Nothing." more={<>Go back to <Link to="/">the city</Link>.</>} />
  );
}

const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : typeof value === "number" ? String(value) : undefined);
const oneOf = <T extends string>(values: readonly T[], value: unknown): T | undefined => values.find((v) => v === value);

const root = createRootRouteWithContext<Context>()({ notFoundComponent: () => <main className="way-in"><NotFound /></main> });
const gate = createRoute({ getParentRoute: () => root, id: "gate", component: Gate, notFoundComponent: NotFound });
const welcome = createRoute({ getParentRoute: () => root, path: "/welcome", component: lazyRouteComponent(() => import("./pages/Welcome"), "Welcome") });
const overview = createRoute({
  getParentRoute: () => gate,
  path: "/",
  component: Overview,
  validateSearch: (search: Record<string, unknown>): { view?: "table" } => (search.view === "table" ? { view: "table" } : {}),
});
const devices = createRoute({
  getParentRoute: () => gate,
  path: "/devices",
  component: lazyRouteComponent(() => import("./pages/Devices"), "Devices"),
  validateSearch: (search: Record<string, unknown>): DeviceFilter => ({
    search: text(search.search),
    selector: text(search.selector),
    health: oneOf(["good", "watch", "bad", "unknown"] as const, search.health),
    sort: oneOf(DEVICE_SORTS, search.sort),
  }),
});
const device = createRoute({ getParentRoute: () => gate, path: "/devices/$id", component: lazyRouteComponent(() => import("./pages/Device"), "Device") });
const rollouts = createRoute({ getParentRoute: () => gate, path: "/rollouts", component: lazyRouteComponent(() => import("./pages/Rollouts"), "Rollouts") });
const rollout = createRoute({ getParentRoute: () => gate, path: "/rollouts/$id", component: lazyRouteComponent(() => import("./pages/Rollout"), "Rollout") });
const incidents = createRoute({
  getParentRoute: () => gate,
  path: "/incidents",
  component: lazyRouteComponent(() => import("./pages/Incidents"), "Incidents"),
  validateSearch: (search: Record<string, unknown>): { scope?: IncidentScope } => (search.scope === "all" ? { scope: "all" } : {}),
});
const incident = createRoute({ getParentRoute: () => gate, path: "/incidents/$id", component: lazyRouteComponent(() => import("./pages/Incident"), "Incident") });
const firmware = createRoute({ getParentRoute: () => gate, path: "/firmware", component: lazyRouteComponent(() => import("./pages/Firmware"), "Firmware") });
const certificates = createRoute({ getParentRoute: () => gate, path: "/certificates", component: lazyRouteComponent(() => import("./pages/Certificates"), "Certificates") });
const certificate = createRoute({ getParentRoute: () => gate, path: "/certificates/$serial", component: lazyRouteComponent(() => import("./pages/Certificate"), "Certificate") });
const journal = createRoute({
  getParentRoute: () => gate,
  path: "/journal",
  component: lazyRouteComponent(() => import("./pages/Journal"), "Journal"),
  validateSearch: (search: Record<string, unknown>): { kind?: string | undefined; subject?: string | undefined } => ({ kind: text(search.kind), subject: text(search.subject) }),
});
const notifications = createRoute({ getParentRoute: () => gate, path: "/notifications", component: lazyRouteComponent(() => import("./pages/Notifications"), "Notifications") });
const operators = createRoute({ getParentRoute: () => gate, path: "/operators", component: lazyRouteComponent(() => import("./pages/Operators"), "Operators") });
const server = createRoute({ getParentRoute: () => gate, path: "/server", component: lazyRouteComponent(() => import("./pages/ThisServer"), "ThisServer") });
const myself = createRoute({ getParentRoute: () => gate, path: "/me", component: lazyRouteComponent(() => import("./pages/Myself"), "Myself") });

export function makeRouter(queries: QueryClient) {
  return createRouter({
    routeTree: root.addChildren([
      welcome,
      gate.addChildren([overview, devices, device, rollouts, rollout, incidents, incident, firmware, certificates, certificate, journal, notifications, operators, server, myself]),
    ]),
    context: { queries },
    defaultNotFoundComponent: NotFound,
    defaultErrorComponent: ({ error }) => <ProblemNotice error={error} />,
    scrollRestoration: false,
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
