import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, must, setCsrf, type Schemas } from "./client";

export const keys = { me: ["me"], overview: ["fleet", "overview"], map: ["fleet", "map"] } as const;

export const meQuery = queryOptions({
  queryKey: keys.me,
  queryFn: async () => {
    const me = await must(api.GET("/me"));
    setCsrf(me.csrf);
    return me;
  },
  staleTime: 60_000,
});

export const overviewQuery = queryOptions({ queryKey: keys.overview, queryFn: () => must(api.GET("/fleet/overview")), refetchInterval: 30_000 });
export const mapQuery = queryOptions({ queryKey: keys.map, queryFn: () => must(api.GET("/fleet/map")), staleTime: 15_000 });
export const serverQuery = queryOptions({ queryKey: ["server"], queryFn: () => must(api.GET("/server")), staleTime: 60_000 });
export const modelsQuery = queryOptions({ queryKey: ["models"], queryFn: () => must(api.GET("/models")), staleTime: 60_000 });

export interface DeviceFilter {
  readonly search?: string | undefined;
  readonly selector?: string | undefined;
  readonly health?: Schemas["Health"] | undefined;
  readonly sort?: DeviceSort | undefined;
}
export const DEVICE_SORTS = ["id", "-id", "lastContact", "-lastContact", "stateSince", "-stateSince", "risk", "-risk"] as const;
export type DeviceSort = (typeof DEVICE_SORTS)[number];

export const devicesQuery = (filter: DeviceFilter) =>
  infiniteQueryOptions({
    queryKey: ["devices", filter],
    queryFn: ({ pageParam }) => must(api.GET("/devices", { params: { query: { ...given(filter), limit: 50, ...(pageParam ? { cursor: pageParam } : {}) } } })),
    initialPageParam: "",
    getNextPageParam: (last) => last.next,
    placeholderData: (old) => old,
  });

/// Leaves out what is empty: the server refuses empty parameters.
export function given<T extends object>(values: T): { [K in keyof T]: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined && value !== "")) as { [K in keyof T]: NonNullable<T[K]> };
}

const path = (id: string) => ({ params: { path: { id } } });
export const deviceQuery = (id: string) => queryOptions({ queryKey: ["device", id, "head"], queryFn: () => must(api.GET("/devices/{id}", path(id))) });
export const seriesQuery = (id: string, hours: number) =>
  queryOptions({
    queryKey: ["device", id, "series", hours],
    queryFn: () => must(api.GET("/devices/{id}/series", { params: { path: { id }, query: { from: new Date(Date.now() - hours * 3_600_000).toISOString() } } })),
    placeholderData: (old) => old,
  });
export const configurationQuery = (id: string) => queryOptions({ queryKey: ["device", id, "configuration"], queryFn: () => must(api.GET("/devices/{id}/configuration", path(id))) });
export const deviceCertificatesQuery = (id: string) => queryOptions({ queryKey: ["device", id, "certificates"], queryFn: () => must(api.GET("/devices/{id}/certificates", path(id))) });
export const timelineQuery = (id: string) =>
  infiniteQueryOptions({
    queryKey: ["device", id, "timeline"],
    queryFn: ({ pageParam }) => must(api.GET("/devices/{id}/timeline", { params: { path: { id }, query: { limit: 40, ...(pageParam ? { cursor: pageParam } : {}) } } })),
    initialPageParam: "",
    getNextPageParam: (last) => last.next,
  });
export const logsQuery = (device: string, search: string, severity: Schemas["LogSeverity"] | undefined) =>
  infiniteQueryOptions({
    queryKey: ["device", device, "logs", search, severity ?? ""],
    queryFn: ({ pageParam }) => must(api.GET("/logs", { params: { query: { device, ...given({ search, severity, cursor: pageParam }), limit: 50 } } })),
    initialPageParam: "",
    getNextPageParam: (last) => last.next,
    placeholderData: (old) => old,
  });
export const failuresQuery = (device: string) => queryOptions({ queryKey: ["device", device, "failures"], queryFn: () => must(api.GET("/connection-failures", { params: { query: { device, limit: 20 } } })) });

export const rolloutsQuery = infiniteQueryOptions({
  queryKey: ["rollouts"],
  queryFn: ({ pageParam }) => must(api.GET("/rollouts", { params: { query: given({ cursor: pageParam }) } })),
  initialPageParam: "",
  getNextPageParam: (last) => last.next,
});
export const rolloutQuery = (id: string) => queryOptions({ queryKey: ["rollout", id, "head"], queryFn: () => must(api.GET("/rollouts/{id}", path(id))), refetchInterval: 5000 });
export const rolloutDevicesQuery = (id: string, batch: number | undefined, state: Schemas["RolloutDeviceState"] | undefined) =>
  infiniteQueryOptions({
    queryKey: ["rollout", id, "devices", batch ?? "", state ?? ""],
    queryFn: ({ pageParam }) => must(api.GET("/rollouts/{id}/devices", { params: { path: { id }, query: { ...given({ batch, state, cursor: pageParam }), limit: 50 } } })),
    initialPageParam: "",
    getNextPageParam: (last) => last.next,
    placeholderData: (old) => old,
  });
export const stopSwitchQuery = queryOptions({ queryKey: ["fleet", "stop-switch"], queryFn: () => must(api.GET("/stop-switch")) });

export type IncidentScope = "open" | "all";
export const incidentsQuery = (scope: IncidentScope) =>
  infiniteQueryOptions({
    queryKey: ["incidents", scope],
    queryFn: ({ pageParam }) => must(api.GET("/incidents", { params: { query: { ...given({ cursor: pageParam }), ...(scope === "open" ? { open: true } : {}) } } })),
    initialPageParam: "",
    getNextPageParam: (last) => last.next,
    placeholderData: (old) => old,
  });
export const openIncidentsOfQuery = (device: string) =>
  queryOptions({ queryKey: ["incidents", "of", device], queryFn: () => must(api.GET("/incidents", { params: { query: { device, open: true, limit: 1 } } })) });
export const incidentQuery = (id: string) => queryOptions({ queryKey: ["incident", id, "head"], queryFn: () => must(api.GET("/incidents/{id}", path(id))) });

export const releasesQuery = queryOptions({ queryKey: ["releases"], queryFn: () => must(api.GET("/releases", { params: { query: { limit: 100 } } })) });
export const signingKeysQuery = queryOptions({ queryKey: ["signing-keys"], queryFn: () => must(api.GET("/signing-keys")) });
export const artifactsQuery = queryOptions({ queryKey: ["artifacts"], queryFn: () => must(api.GET("/artifacts")) });
export const authoritiesQuery = queryOptions({ queryKey: ["authorities"], queryFn: () => must(api.GET("/authorities")) });
export const anchorsQuery = queryOptions({ queryKey: ["anchors"], queryFn: () => must(api.GET("/manufacturer-anchors")) });
export const certificatesQuery = (status: Schemas["CertificateStatus"] | undefined, device: string | undefined) =>
  infiniteQueryOptions({
    queryKey: ["certificates", status ?? "", device ?? ""],
    queryFn: ({ pageParam }) => must(api.GET("/certificates", { params: { query: { ...given({ status, device, cursor: pageParam }), limit: 20 } } })),
    initialPageParam: "",
    getNextPageParam: (last) => last.next,
    placeholderData: (old) => old,
  });
export const certificateQuery = (serial: string) => queryOptions({ queryKey: ["certificate", serial], queryFn: () => must(api.GET("/certificates/{serial}", { params: { path: { serial } } })) });
export const forecastQuery = (days: number, by: "day" | "week") =>
  queryOptions({ queryKey: ["certificates", "forecast", days, by], queryFn: () => must(api.GET("/certificates/forecast", { params: { query: { days, by } } })), refetchInterval: 300_000, placeholderData: (old) => old });
export const certificateKeysQuery = queryOptions({ queryKey: ["certificates", "keys"], queryFn: () => must(api.GET("/certificates/keys")), staleTime: 60_000 });
export const rolloversQuery = queryOptions({ queryKey: ["rollovers"], queryFn: () => must(api.GET("/rollovers")), refetchInterval: 30_000 });
export const rolloverQuery = (id: string) => queryOptions({ queryKey: ["rollovers", id], queryFn: () => must(api.GET("/rollovers/{id}", path(id))), refetchInterval: 30_000 });
export const rolloverDevicesQuery = (id: string) =>
  infiniteQueryOptions({
    queryKey: ["rollovers", id, "missing"],
    queryFn: ({ pageParam }) => must(api.GET("/rollovers/{id}/devices", { params: { ...path(id).params, query: { ...given({ cursor: pageParam }), only: "missing", limit: 20 } } })),
    initialPageParam: "",
    getNextPageParam: (last) => last.next,
    refetchInterval: 30_000,
  });
export const rogueQuery = queryOptions({ queryKey: ["certificates", "rogue"], queryFn: () => must(api.GET("/certificates/rogue", { params: { query: { limit: 20 } } })) });
export const profilesQuery = queryOptions({ queryKey: ["certificate-profiles"], queryFn: () => must(api.GET("/certificate-profiles")), staleTime: 60_000 });
export const waitingRequestsQuery = queryOptions({ queryKey: ["enrolment-requests", "waiting"], queryFn: () => must(api.GET("/enrolment-requests", { params: { query: { state: "waiting", limit: 100 } } })), refetchInterval: 30_000 });
export const acmeAccountsQuery = infiniteQueryOptions({
  queryKey: ["acme-accounts"],
  queryFn: ({ pageParam }) => must(api.GET("/acme-accounts", { params: { query: { ...given({ cursor: pageParam }), limit: 20 } } })),
  initialPageParam: "",
  getNextPageParam: (last) => last.next,
});
export const attestationQuery = (id: string) => queryOptions({ queryKey: ["device", id, "attestation"], queryFn: () => must(api.GET("/devices/{id}/attestation", { params: { path: { id } } })) });
export const diagnosisQuery = (id: string) => queryOptions({ queryKey: ["device", id, "diagnosis"], queryFn: () => must(api.GET("/devices/{id}/connection-diagnosis", { params: { path: { id } } })) });
export const channelsQuery = queryOptions({ queryKey: ["channels"], queryFn: () => must(api.GET("/notification-channels")) });
export const neverIsolateQuery = queryOptions({ queryKey: ["never-isolate"], queryFn: () => must(api.GET("/never-isolate")) });
export const journalQuery = (kind: string, subject: string) =>
  infiniteQueryOptions({
    queryKey: ["journal", kind, subject],
    queryFn: ({ pageParam }) => must(api.GET("/journal", { params: { query: { ...given({ kind, subject, cursor: pageParam }), limit: 50 } } })),
    initialPageParam: "",
    getNextPageParam: (last) => last.next,
    placeholderData: (old) => old,
  });
export const accountsQuery = queryOptions({ queryKey: ["accounts"], queryFn: () => must(api.GET("/accounts")) });
export const invitationsQuery = queryOptions({ queryKey: ["invitations"], queryFn: () => must(api.GET("/invitations")) });
export const tokensQuery = queryOptions({ queryKey: ["tokens"], queryFn: () => must(api.GET("/tokens")) });
export const passkeysQuery = queryOptions({ queryKey: ["passkeys"], queryFn: () => must(api.GET("/passkeys")) });
