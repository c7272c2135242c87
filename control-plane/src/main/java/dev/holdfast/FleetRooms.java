package dev.holdfast;

import dev.holdfast.access.AccessReplay;
import dev.holdfast.acme.Accounts;
import dev.holdfast.attestation.Attestation;
import dev.holdfast.attestation.AttestationReplay;
import dev.holdfast.ca.Ca;
import dev.holdfast.ca.CertificateStanding;
import dev.holdfast.commands.Commands;
import dev.holdfast.config.Configuration;
import dev.holdfast.config.ConfigurationException;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.detection.Detection;
import dev.holdfast.firmware.Firmware;
import dev.holdfast.firmware.FirmwareReplay;
import dev.holdfast.identity.Identity;
import dev.holdfast.identity.IdentityReplay;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.journal.Replayer;
import dev.holdfast.notify.Channels;
import dev.holdfast.response.Response;
import dev.holdfast.revocation.Revocation;
import dev.holdfast.rollout.HealthSource;
import dev.holdfast.rollout.RolloutReplay;
import dev.holdfast.rollout.Rollouts;
import dev.holdfast.rollover.AuthorityLifecycle;
import dev.holdfast.rotation.Renewals;
import dev.holdfast.segmentation.Segmentation;
import dev.holdfast.sessions.Sessions;
import dev.holdfast.sight.FailedAttempts;
import dev.holdfast.sight.Sight;
import dev.holdfast.telemetry.Observation;
import dev.holdfast.telemetry.Telemetry;
import dev.holdfast.timestamps.TimeStamping;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/// The rooms that know the fleet and decide about it, behind no listener of their own.
final class FleetRooms {
    private static final long LARGEST_ARTIFACT = 4L << 30;

    final Inventory inventory;
    final Sessions sessions;
    final Commands commands;
    final Telemetry telemetry;
    final Ca ca;
    final Revocation revocation;
    final TimeStamping timeStamping;
    final Identity identity;
    final Renewals renewals;
    final AuthorityLifecycle rollover;
    final Attestation attestation;
    final Detection detection;
    final Sight sight;
    final FailedAttempts failedAttempts;
    final Firmware firmware;
    final Rollouts rollouts;
    final Segmentation segmentation;
    final Response response;
    final Channels channels;

    /// @param pkiUrl what URLs in certificates begin with
    /// @param healing what a quarantined device may still reach; asked once every listener is bound
    FleetRooms(Ground ground, Vertx vertx, String pkiUrl, Supplier<List<String>> healing, Parts parts)
            throws ConfigurationException, IOException {
        Configuration configuration = ground.configuration;
        inventory = new Inventory(ground.database, ground.journal);
        sessions = new Sessions();
        commands = new Commands(ground.database, ground.journal, ground.clock);
        telemetry = parts.opened(
                "telemetry",
                new Telemetry(ground.database, ground.journal, ground.clock, Telemetry.Settings.defaults()));
        ca = Ca.open(
                ground.database,
                ground.journal,
                ground.folder,
                configuration,
                ground.passphrase,
                pkiUrl,
                ground.random,
                ground.clock);
        revocation = parts.opened(
                "revocation",
                new Revocation(
                        ground.database,
                        ground.journal,
                        ground.freeze,
                        ca,
                        configuration,
                        pkiUrl,
                        ground.folder.privateFolder("crl"),
                        ground.nodeName(),
                        ground.clock));
        timeStamping = new TimeStamping(ca, ground.random, ground.clock);
        identity = new Identity(
                ground.database,
                ground.journal,
                inventory,
                sessions,
                ca,
                ground.freeze,
                new Environment(configuration.environment()),
                configuration.limits().databaseSilence(),
                ground.clock,
                ground.random,
                ground.installationSecret());
        renewals = parts.opened(
                "renewals",
                new Renewals(
                        ground.database,
                        ground.journal,
                        commands,
                        ground.clock,
                        ground.random,
                        configuration.certificates().renewalsPerHour()));
        rollover = parts.opened(
                "rollovers",
                new AuthorityLifecycle(
                        ground.database, ground.journal, ca, renewals, commands, ground.clock, ground.random));
        attestation = new Attestation(
                ground.database,
                ground.journal,
                inventory,
                new Environment(configuration.environment()),
                ground.installationSecret(),
                ground.random,
                ground.clock);
        detection = parts.opened(
                "detection",
                new Detection(
                        ground.database,
                        ground.journal,
                        inventory,
                        telemetry,
                        ground.nodeName(),
                        identity::admitsNobody,
                        ground.clock));
        sight = parts.opened(
                "sight",
                new Sight(
                        ground.database,
                        ground.journal,
                        ca,
                        telemetry,
                        ground.freeze,
                        renewals::capacityPerHour,
                        ground.clock));
        failedAttempts = parts.opened(
                "failed attempts",
                new FailedAttempts(
                        ground.database,
                        inventory.directory(),
                        serial -> ca.standings().find(serial).flatMap(CertificateStanding::device),
                        new Environment(configuration.environment()),
                        ground.clock));
        telemetry.subscribe(failedAttempts);
        firmware = new Firmware(
                ground.database, ground.journal, inventory, ground.folder.privateFolder("artifacts"), LARGEST_ARTIFACT);
        rollouts = parts.opened(
                "rollouts",
                new Rollouts(
                        ground.database,
                        ground.journal,
                        inventory,
                        firmware,
                        this::health,
                        ground.freeze,
                        ground.nodeName(),
                        ground.clock,
                        System::nanoTime,
                        configuration.switches().rolloutGate()));
        segmentation = parts.opened(
                "segmentation",
                new Segmentation(ground.database, ground.journal, inventory, commands, telemetry, healing));
        response = parts.opened(
                "response",
                new Response(
                        ground.database,
                        ground.journal,
                        inventory,
                        sessions,
                        identity,
                        detection,
                        segmentation,
                        configuration.switches().automaticIsolation(),
                        ground.clock));
        channels = parts.opened(
                "notifications",
                new Channels(
                        ground.database,
                        ground.journal,
                        vertx,
                        configuration,
                        ground.notificationKey(),
                        ground.random,
                        ground.clock));
    }

    /// What telemetry and detection say of a device, as a rollout judges it.
    private HealthSource.Health health(DeviceRef device, Instant since) {
        return new HealthSource.Health(
                detection.lastHealthyMeasurement(device),
                Optional.empty(), // telemetry outside its band or history is a finding
                detection
                        .newFindingSince(device, since)
                        .map(f -> f.cause().name() + ": expected " + f.expected() + ", seen " + f.seen()));
    }

    /// Those that take away again, after a restore, what was taken away after the backup.
    List<Replayer> replayers() {
        return List.of(
                inventory::replay,
                ca.lifecycle()::replay,
                ca.authorities()::replay,
                new IdentityReplay(),
                new AttestationReplay(),
                Accounts::replay,
                new RolloutReplay(firmware),
                new FirmwareReplay(firmware),
                new AccessReplay());
    }

    /// Begins to detect, respond, notify and judge; called before any listener is open.
    void start(InstantSource clock) {
        detection.start();
        telemetry.alsoFlush("contacts", inventory::flushContacts);
        telemetry.alsoFlush("delivered commands", commands::flush);
        telemetry.alsoFlush("ended certificates", identity::cutEnded);
        attestation.onAlarm((tx, alarm) -> detection.raise(tx, Alarms.finding(alarm)));
        telemetry.alsoFlush("overdue attestations", () -> attestation.tellOverdue(identity.admitsNobody()));
        telemetry.alsoFlush("renewals that are due", renewals::workDue);
        rollover.start(telemetry);
        telemetry.start();
        segmentation.start();
        response.start();
        revocation.start();
        timeStamping.start();
        channels.start();
        rollouts.start();
        identity.enrolment().finishInterrupted();
        identity.enrolment().onSharedKey(sight::sawSharedKey);
        sight.start();
        failedAttempts.start();
        identity.enrolment().onRefusal((device, reason, _, remote) -> {
            if (reason.isAuthenticationFailure()) {
                telemetry.accept(new Observation.AuthenticationFailure(
                        device, clock.instant(), "EST: " + reason.text(), remote));
            }
        });
    }
}
