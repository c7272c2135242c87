package dev.holdfast.rollover;

import dev.holdfast.ca.Authority;
import dev.holdfast.ca.Ca;
import dev.holdfast.ca.CertificateStanding;
import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Serial;
import dev.holdfast.database.Database;
import dev.holdfast.journal.Entry;
import dev.holdfast.journal.Journal;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.telemetry.Observation;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Hears in devices' configuration reports which roots they trust: setting `trust.roots`, SHA-256 fingerprints
/// separated by blanks; and sees who fetches what would let them. Only a root that is being introduced is taken
/// down, once for each device. Fetching is no acknowledgement.
final class TrustReports {
    private static final Logger LOG = LoggerFactory.getLogger(TrustReports.class);
    private static final String SETTING = "trust.roots";
    private static final int MOST_REMEMBERED = 1_000_000;

    private final Database database;
    private final Journal journal;
    private final Ca ca;
    private final InstantSource clock;
    private final Set<String> known = ConcurrentHashMap.newKeySet();

    TrustReports(Database database, Journal journal, Ca ca, InstantSource clock) {
        this.database = database;
        this.journal = journal;
        this.ca = ca;
        this.clock = clock;
    }

    void accept(Observation observation) {
        if (!(observation instanceof Observation.ConfigurationReport report)) {
            return;
        }
        String said = report.settings().getOrDefault(SETTING, "");
        if (said.isEmpty()) {
            return;
        }
        List<String> named = List.of(said.split(" "));
        for (Authority root : ca.authorities().introduced()) {
            String fingerprint = Certificates.fingerprint(root.certificate());
            if (named.contains(fingerprint) && isNew(fingerprint, report.device())) {
                var _ = Thread.ofVirtual().name("trust").start(() -> acknowledge(fingerprint, root, report.device()));
            }
        }
    }

    /// A device has fetched our authorities, with a certificate of its own: it could learn the new root.
    void fetched(Serial certificate) {
        List<Authority> roots = ca.authorities().introduced();
        Optional<DeviceRef> device = roots.isEmpty()
                ? Optional.empty()
                : ca.standings().find(certificate).flatMap(CertificateStanding::device);
        if (device.isEmpty()) {
            return;
        }
        for (Authority root : roots) {
            String fingerprint = Certificates.fingerprint(root.certificate());
            var _ = Thread.ofVirtual().name("trust").start(() -> fetched(fingerprint, device.get()));
        }
    }

    private void fetched(String fingerprint, DeviceRef device) {
        try {
            database.run(sql -> TrustStore.fetched(sql, fingerprint, device, clock.instant()));
        } catch (RuntimeException e) {
            LOG.warn("what {} fetched could not be noted: {}", device, e.toString());
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
                if (TrustStore.acknowledge(tx.sql(), fingerprint, device, tx.now())) {
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
