package dev.holdfast.api;

import dev.holdfast.web.Handlers;
import dev.holdfast.web.Identities;

/// Every resource of the API but those of identity, registered.
public final class Resources {
    private Resources() {}

    public static void register(Handlers handlers, Rooms rooms, FleetView fleet, Identities identities) {
        new FleetEndpoint(rooms, fleet).register(handlers);
        new ModelsEndpoint(rooms).register(handlers);
        new DevicesEndpoint(rooms, fleet).register(handlers);
        new DeviceSightEndpoint(rooms).register(handlers);
        new InventoryFilesEndpoint(rooms).register(handlers);
        new HistoryImportEndpoint(rooms).register(handlers);
        new FirmwareEndpoint(rooms).register(handlers);
        new RolloutsEndpoint(rooms).register(handlers);
        new WindowsEndpoint(rooms).register(handlers);
        new IncidentsEndpoint(rooms).register(handlers);
        new IsolationPolicyEndpoint(rooms).register(handlers);
        new SettingsEndpoint(rooms).register(handlers);
        new JournalEndpoint(rooms).register(handlers);
        new FreezeEndpoint(rooms).register(handlers);
        new ServerEndpoint(rooms, identities).register(handlers);
    }
}
