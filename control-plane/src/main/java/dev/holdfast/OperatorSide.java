package dev.holdfast;

import dev.holdfast.access.Access;
import dev.holdfast.access.FirstTokenStore;
import dev.holdfast.api.MessageRate;
import dev.holdfast.api.Rooms;
import dev.holdfast.config.ConfigurationException;
import dev.holdfast.core.Environment;
import dev.holdfast.operator.OperatorEndpoint;
import dev.holdfast.tls.DevicePlane;
import java.io.IOException;

/// The operator plane: who may operate, the API and the console.
final class OperatorSide {
    private final Ground ground;
    final Access access;
    private final MessageRate messageRate;

    OperatorSide(Ground ground, FleetRooms rooms) {
        this.ground = ground;
        messageRate = new MessageRate(ground.clock);
        rooms.telemetry.subscribe(messageRate);
        rooms.identity.enrolment().onRefusal((device, reason, detail, remote) -> {
            if (!reason.isAuthenticationFailure()) { // those come as observations
                rooms.failedAttempts.enrolmentRefused(ground.clock.instant(), device, reason.name(), detail, remote);
            }
        });
        access = new Access(
                ground.database,
                ground.journal,
                ground.clock,
                ground.random,
                new Environment(ground.configuration.environment()));
    }

    /// Opens the listener, when those of the devices are open.
    OperatorEndpoint listen(FleetRooms rooms, DeviceSide devices, DevicePlane plane, Parts parts)
            throws ConfigurationException, IOException {
        if (ground.configuration.access().firstToken()) {
            FirstTokenStore.ensure(access, ground.folder);
        }
        return parts.opened(
                "operator plane",
                OperatorEndpoint.start(
                        OperatorEndpoint.Settings.of(ground.configuration),
                        new Rooms(
                                ground.configuration,
                                ground.folder.root(),
                                ground.clock,
                                ground.database,
                                ground.journal,
                                ground.freeze,
                                access,
                                rooms.inventory,
                                rooms.sessions,
                                rooms.telemetry,
                                rooms.commands,
                                rooms.ca,
                                rooms.identity,
                                rooms.renewals,
                                rooms.rollover,
                                rooms.attestation,
                                devices.acme.accounts(),
                                rooms.detection,
                                rooms.sight,
                                rooms.response,
                                rooms.firmware,
                                rooms.rollouts,
                                rooms.channels,
                                rooms.failedAttempts,
                                messageRate,
                                devices::listeners,
                                () -> devices.url() + "/.well-known/est")));
    }
}
