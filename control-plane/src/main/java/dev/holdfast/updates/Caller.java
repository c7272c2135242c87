package dev.holdfast.updates;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Serial;
import dev.holdfast.inventory.Lifecycle;
import io.vertx.ext.web.RoutingContext;

/// The device behind a request, authenticated by its certificate and admitted.
///
/// @param state as it is now
record Caller(DeviceRef device, Serial certificate, Lifecycle state) {
    private static final String KEY = "holdfast.caller";

    void attach(RoutingContext request) {
        request.put(KEY, this);
    }

    static Caller of(RoutingContext request) {
        Caller caller = request.get(KEY);
        if (caller == null) {
            throw new IllegalStateException("a route without its door");
        }
        return caller;
    }
}
