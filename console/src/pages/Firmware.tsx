import { Page } from "../parts/Page";
export function Firmware() { return <Page title="Firmware" question="Firmware" answer="Being built." />; }
