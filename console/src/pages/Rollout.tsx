import { Page } from "../parts/Page";
export function Rollout() { return <Page title="Rollout" question="Rollout" answer="Being built." />; }
