package dev.holdfast.ingest;

import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/// What came in beside MQTT since the start, for metrics.
public final class IngestCounts {
    final LongAdder flows = new LongAdder();
    final LongAdder ofNobody = new LongAdder();
    final LongAdder dropped = new LongAdder();
    final LongAdder malformed = new LongAdder();
    final LongAdder lines = new LongAdder();
    final LongAdder refused = new LongAdder();

    /// By name: `flows`, `of_nobody`, `dropped`, `malformed`, `lines`, `refused`.
    public Map<String, Long> values() {
        return Map.of(
                "flows", flows.sum(),
                "of_nobody", ofNobody.sum(),
                "dropped", dropped.sum(),
                "malformed", malformed.sum(),
                "lines", lines.sum(),
                "refused", refused.sum());
    }
}
