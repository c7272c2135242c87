package dev.holdfast.operator;

import dev.holdfast.access.Scope;
import dev.holdfast.web.Doorkeeper;
import dev.holdfast.web.Handlers;
import dev.holdfast.web.Identities;
import dev.holdfast.web.Links;

/// Every endpoint of the API, registered: one file for each resource.
final class Endpoints {
    private final Rooms rooms;
    private final FleetView fleet;
    private final Identities identities;
    private final Doorkeeper doorkeeper;
    private final boolean tls;

    Endpoints(Rooms rooms, FleetView fleet, Identities identities, Doorkeeper doorkeeper, boolean tls) {
        this.rooms = rooms;
        this.fleet = fleet;
        this.identities = identities;
        this.doorkeeper = doorkeeper;
        this.tls = tls;
    }

    void register(Handlers handlers) {
        new SessionEndpoint(rooms, identities, doorkeeper, tls).register(handlers);
        new AccessEndpoint(rooms, new Links(rooms.access(), identities)).register(handlers);
        new FleetEndpoint(rooms, fleet).register(handlers);
        new ModelsEndpoint(rooms).register(handlers);
        new DevicesEndpoint(rooms, fleet).register(handlers);
        new DeviceSightEndpoint(rooms).register(handlers);
        new InventoryFilesEndpoint(rooms).register(handlers);
        new HistoryImportEndpoint(rooms).register(handlers);
        new CertificatesEndpoint(rooms).register(handlers);
        new EnrolmentEndpoint(rooms, identities).register(handlers);
        new FirmwareEndpoint(rooms).register(handlers);
        new RolloutsEndpoint(rooms).register(handlers);
        new IncidentsEndpoint(rooms).register(handlers);
        new SettingsEndpoint(rooms).register(handlers);
        new JournalEndpoint(rooms).register(handlers);
        new ServerEndpoint(rooms, identities).register(handlers);
        handlers.on("stream", Scope.READ, _ -> {
            throw new IllegalStateException("answered by StreamEndpoint");
        });
    }
}
