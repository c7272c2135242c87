package dev.holdfast.credentials;

import dev.holdfast.api.Rooms;
import dev.holdfast.web.Handlers;
import dev.holdfast.web.Identities;

/// Every resource of identity, registered.
public final class CredentialResources {
    private CredentialResources() {}

    public static void register(Handlers handlers, Rooms rooms, Identities identities) {
        new CertificatesEndpoint(rooms).register(handlers);
        new AuthoritiesEndpoint(rooms).register(handlers);
        new EnrolmentEndpoint(rooms, identities).register(handlers);
        new ProfilesEndpoint(rooms).register(handlers);
        new CeremoniesEndpoint(rooms).register(handlers);
        new RolloversEndpoint(rooms).register(handlers);
        new HeldRequestsEndpoint(rooms).register(handlers);
        new RenewalsEndpoint(rooms).register(handlers);
        new SightEndpoint(rooms).register(handlers);
        new DiagnosisEndpoint(rooms).register(handlers);
        new ManufacturersEndpoint(rooms).register(handlers);
        new ClaimsEndpoint(rooms).register(handlers);
        new TpmEndpoint(rooms).register(handlers);
        new AcmeAccountsEndpoint(rooms).register(handlers);
    }
}
