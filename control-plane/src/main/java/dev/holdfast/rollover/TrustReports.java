package dev.holdfast.rollover;

import dev.holdfast.ca.Authority;
import dev.holdfast.ca.Ca;
import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.journal.Entry;
import dev.holdfast.journal.Journal;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.telemetry.Observation;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Hears in devices' configuration reports which roots they trust: setting `trust.roots`, SHA-256 fingerprints
/// separated
/// by blanks. Only the fingerprint of a root that is being made ready is taken down, once for each device.
final class TrustReports {
    private static final Logger LOG = LoggerFactory.getLogger(TrustReports.class);
    private static final String SETTING = "trust.roots";
    private static final int MOST_REMEMBERED = 1_000_000;

    private final Journal journal;
    private final Ca ca;
    private final Set<String> known = ConcurrentHashMap.newKeySet();

    TrustReports(Journal journal, Ca ca) {
        this.journal = journal;
        this.ca = ca;
    }

    void accept(Observation observation) {
        if (!(observation instanceof Observation.ConfigurationReport report)) {
            return;
        }
        String said = report.settings().getOrDefault(SETTING, "");
        if (said.isEmpty()) {
            return;
        }
        for (Authority root : ca.authorities().all()) {
            if (root.purpose() == Authority.Purpose.ROOT && root.standing().isTrusted() && root.generation() > 1) {
                String fingerprint = Certificates.fingerprint(root.certificate());
                if (said.contains(fingerprint) && isNew(fingerprint, report.device())) {
                    var _ = Thread.ofVirtual()
                            .name("trust")
                            .start(() -> acknowledge(fingerprint, root, report.device()));
                }
            }
        }
    }

    private boolean isNew(String fingerprint, DeviceRef device) {
        if (known.size() > MOST_REMEMBERED) {
            known.clear(); // the table keeps them; asking again costs a little
        }
        return known.add(fingerprint + device);
    }

    private void acknowledge(String fingerprint, Authority root, DeviceRef device) {
        try {
            journal.run(tx -> {
                if (RolloverStore.acknowledge(tx.sql(), fingerprint, device, tx.now())) {
                    tx.record(new Entry(
                            "rollover.trust-acknowledged",
                            device.environment(),
                            "device:" + device.id(),
                            new Actor.Device(device),
                            "its configuration report names the new root",
                            Map.of("root", root.id(), "sha256", fingerprint)));
                }
            });
        } catch (RuntimeException e) {
            known.remove(fingerprint + device);
            LOG.warn("the trust of {} in {} could not be recorded yet: {}", device, root.id(), e.toString());
        }
    }
}
