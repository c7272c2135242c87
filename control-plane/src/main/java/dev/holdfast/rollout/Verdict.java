package dev.holdfast.rollout;

import dev.holdfast.core.FirmwareVersion;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/// Whether one undecided device is healthy: a pure function of what it reported, what is known of its health,
/// and the
/// time.
sealed interface Verdict {
    record Healthy() implements Verdict {}

    record Failed(String reason) implements Verdict {}

    /// It reports the new version for the first time: the health window begins.
    record Reported(Instant at) implements Verdict {}

    record Undecided() implements Verdict {}

    /// What is known of the device.
    ///
    /// @param deadline for the first report of the new version
    /// @param installedAt when it said so
    /// @param reportedAt when the new version was first reported
    record Watched(
            MemberState state,
            Instant grantedAt,
            Instant deadline,
            Optional<Instant> installedAt,
            Optional<Instant> reportedAt,
            Optional<FirmwareVersion> firmware,
            Optional<Instant> firmwareAt) {}

    /// 1. The new version reported for the first time opens the window.
    /// 2. Reporting another version after having installed, or having reported the new one, is a failure:
    ///    it reverted.
    /// 3. Past the deadline without the new version: timeout is failure.
    /// 4. In the window: a finding or telemetry out of its band is a failure.
    /// 5. At the end of the window, telemetry must be fresh (where the model is expected to send any);
    ///    the device has one more window, at least its expected interval, to be heard.
    ///
    /// Nothing is held against a device that it could not do while it was not let in: it has its time again from
    /// when this server was there for it.
    ///
    /// @param freshFor how old the last telemetry may be; empty when the model sends none
    /// @param timeout for the first report, as the deadline was set by
    /// @param thereSince when devices could come in here, without a break until now
    static Verdict of(
            Watched device,
            FirmwareVersion target,
            HealthSource.Health health,
            Duration window,
            Optional<Duration> freshFor,
            Duration timeout,
            Instant thereSince,
            Instant now) {
        boolean runsTarget = device.firmware().equals(Optional.of(target))
                && device.firmwareAt()
                        .map(at -> !at.isBefore(device.grantedAt()))
                        .orElse(false);
        if (device.reportedAt().isEmpty()) {
            if (runsTarget) {
                return new Reported(device.firmwareAt().orElse(now));
            }
            if (device.installedAt().isPresent()
                    && device.firmwareAt().isPresent()
                    && device.firmwareAt().get().isAfter(device.installedAt().get())) {
                return new Failed("it said it had installed, and then reported "
                        + device.firmware().map(FirmwareVersion::value).orElse("nothing"));
            }
            return now.isBefore(later(device.deadline(), thereSince.plus(timeout)))
                    ? new Undecided()
                    : new Failed("it did not report the new version in time");
        }
        Instant since = device.reportedAt().get();
        if (!device.firmware().equals(Optional.of(target))) {
            return new Failed("it went back to "
                    + device.firmware().map(FirmwareVersion::value).orElse("an unknown version"));
        }
        if (health.finding().isPresent()) {
            return new Failed("found since the update: " + health.finding().get());
        }
        if (health.lastOutOfBand().filter(at -> !at.isBefore(since)).isPresent()) {
            return new Failed("its telemetry left its band after the update");
        }
        Instant end = since.plus(window);
        if (now.isBefore(end)) {
            return new Undecided();
        }
        if (freshFor.isEmpty()) {
            return new Healthy();
        }
        boolean fresh = health.lastInBand()
                .filter(at -> at.isAfter(since) && !at.isBefore(now.minus(freshFor.get())))
                .isPresent();
        if (fresh) {
            return new Healthy();
        }
        return now.isBefore(later(end, thereSince.plus(window)).plus(freshFor.get()))
                ? new Undecided()
                : new Failed("no fresh telemetry since the update");
    }

    private static Instant later(Instant one, Instant other) {
        return one.isAfter(other) ? one : other;
    }
}
