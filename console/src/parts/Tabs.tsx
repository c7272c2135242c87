import { Tabs as Base } from "@base-ui/react/tabs";
import { useState } from "react";

export interface Tab {
  readonly key: string;
  readonly label: string;
  readonly show: () => React.ReactNode;
}

/// Only the tab that is shown is made, so only it fetches.
export function Tabs({ label, tabs }: { label: string; tabs: readonly Tab[] }) {
  const [at, setAt] = useState(tabs[0]?.key ?? "");
  return (
    <Base.Root value={at} onValueChange={(value) => setAt(String(value))}>
      <Base.List className="tabs" aria-label={label}>
        {tabs.map((tab) => <Base.Tab key={tab.key} value={tab.key}>{tab.label}</Base.Tab>)}
      </Base.List>
      {tabs.map((tab) => (
        <Base.Panel key={tab.key} value={tab.key} className="tab-panel">
          {tab.key === at && tab.show()}
        </Base.Panel>
      ))}
    </Base.Root>
  );
}
