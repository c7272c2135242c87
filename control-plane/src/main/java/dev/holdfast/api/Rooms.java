package dev.holdfast.api;

import dev.holdfast.access.Access;
import dev.holdfast.acme.Accounts;
import dev.holdfast.attestation.Attestation;
import dev.holdfast.ca.Authority;
import dev.holdfast.ca.Ca;
import dev.holdfast.commands.Commands;
import dev.holdfast.config.Configuration;
import dev.holdfast.core.Environment;
import dev.holdfast.database.Database;
import dev.holdfast.detection.Detection;
import dev.holdfast.firmware.Firmware;
import dev.holdfast.identity.Identity;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.journal.Freeze;
import dev.holdfast.journal.Journal;
import dev.holdfast.notify.Channels;
import dev.holdfast.response.Response;
import dev.holdfast.rollout.Rollouts;
import dev.holdfast.rollover.AuthorityLifecycle;
import dev.holdfast.rotation.Renewals;
import dev.holdfast.sessions.Sessions;
import dev.holdfast.sight.FailedAttempts;
import dev.holdfast.sight.Sight;
import dev.holdfast.telemetry.Telemetry;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/// The doors this edge answers from.
///
/// @param dataFolder to report how much room is left
/// @param listeners of the other planes, once they listen
/// @param estUrl where devices enrol, such as `https://host:8443/.well-known/est`
public record Rooms(
        Configuration configuration,
        Path dataFolder,
        InstantSource clock,
        Database database,
        Journal journal,
        Freeze freeze,
        Access access,
        Inventory inventory,
        Sessions sessions,
        Telemetry telemetry,
        Commands commands,
        Ca ca,
        Identity identity,
        Renewals renewals,
        AuthorityLifecycle rollover,
        Attestation attestation,
        Accounts accounts,
        Detection detection,
        Sight sight,
        Response response,
        Firmware firmware,
        Rollouts rollouts,
        Channels channels,
        FailedAttempts failedAttempts,
        MessageRate messageRate,
        Supplier<List<ListenerStatus>> listeners,
        Supplier<String> estUrl) {
    /// Another plane's listener, for people.
    public record ListenerStatus(String name, String host, int port, boolean tls, String url) {}

    public Environment environment() {
        return new Environment(configuration.environment());
    }

    public static String version() {
        String version = Rooms.class.getPackage().getImplementationVersion();
        return version == null ? "development" : version;
    }

    /// Why everything this server makes is marked DEVELOPMENT; empty for production.
    public List<String> developmentBecause() {
        List<String> because = new ArrayList<>();
        if (configuration.publicHostName() == null) {
            because.add("no public host name is configured (publicHostName)");
        }
        boolean devices = ca.authorities()
                .devices(environment())
                .map(Authority::development)
                .orElse(true);
        boolean listeners = ca.authorities().server().development();
        if (devices && listeners) {
            because.add("the root key was made by this server, without a ceremony");
        } else if (devices) {
            because.add("the issuer of the devices' certificates is still under a root that this server made");
        } else if (listeners) {
            because.add("the issuer of the listeners' certificates is still under a root that this server made");
        }
        return because;
    }
}
