import { Page } from "../parts/Page";
export function Devices() { return <Page title="Devices" question="Devices" answer="Being built." />; }
