package dev.holdfast.mqtt;

import dev.holdfast.core.FirmwareVersion;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.journal.Journal;
import dev.holdfast.telemetry.Acknowledgement;
import dev.holdfast.telemetry.Observation;
import dev.holdfast.telemetry.Telemetry;
import java.util.Optional;
import java.util.concurrent.Semaphore;

/// Keeps `boot` events together with the firmware that they report, in one change.
final class BootReports {
    private final Journal journal;
    private final Inventory inventory;
    private final Telemetry telemetry;
    private final Semaphore atOnce = new Semaphore(512);

    BootReports(Journal journal, Inventory inventory, Telemetry telemetry) {
        this.journal = journal;
        this.inventory = inventory;
        this.telemetry = telemetry;
    }

    /// The firmware that the event reports, if it is a boot that names one.
    static Optional<FirmwareVersion> firmware(Observation.Event event) throws MalformedMessageException {
        String version = event.details().get("firmware");
        if (!event.name().equals("boot") || version == null) {
            return Optional.empty();
        }
        try {
            return Optional.of(new FirmwareVersion(version));
        } catch (IllegalArgumentException e) {
            throw new MalformedMessageException("firmware: " + e.getMessage(), e);
        }
    }

    /// @return false when there are too many at once; to be tried again
    boolean keep(Observation.Event boot, FirmwareVersion version, Acknowledgement answer) {
        if (!atOnce.tryAcquire()) {
            return false;
        }
        var _ = Thread.ofVirtual().name("boot-report").start(() -> {
            try {
                journal.run(tx -> {
                    telemetry.append(tx, boot);
                    inventory.reportFirmware(tx, boot.device(), version);
                });
                telemetry.kept(boot);
                answer.committed();
            } catch (RuntimeException e) {
                answer.failed(e);
            } finally {
                atOnce.release();
            }
        });
        return true;
    }
}
