package dev.holdfast.detection;

import dev.holdfast.core.DeviceRef;
import java.time.Instant;

/// Something about a device that was not observed on its own connections, for its shard to take in.
interface Notice {
    DeviceRef device();

    Assessment assess(Baseline baseline, Instant now);

    /// A person has taken an isolation back: what the device did before is settled. Counting begins anew, and
    /// what it does from now on is told at once, not ever more rarely. What its numbers usually are stays learnt.
    record Settled(DeviceRef device) implements Notice {
        @Override
        public Assessment assess(Baseline baseline, Instant now) {
            Detector.Work work = new Detector.Work(device, now, baseline);
            work.settled();
            return work.done();
        }
    }
}
