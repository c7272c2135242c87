package dev.holdfast.acme;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.protocol.acme.AcmeException;
import dev.holdfast.protocol.acme.AcmeIdentifier;
import dev.holdfast.protocol.acme.AcmeProblem;
import dev.holdfast.protocol.x509.CertificationRequest;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/// Holds a request for a certificate to its order (RFC 8555 section 7.4): exactly the order's DNS names, in
/// whatever place of the request, and beside them at most the device's own name.
final class OrderNames {
    private OrderNames() {}

    /// @throws AcmeException `badCSR`
    static void check(CertificationRequest request, Order order, DeviceRef device, String deviceUri)
            throws AcmeException {
        Set<String> wanted = order.identifiers().stream()
                .filter(i -> i.type() == AcmeIdentifier.Type.DNS)
                .map(AcmeIdentifier::value)
                .collect(Collectors.toCollection(TreeSet::new));
        Set<String> found = new TreeSet<>();
        for (String name : request.alternativeNames()) {
            if (name.startsWith("DNS:")) {
                found.add(name.substring("DNS:".length()).toLowerCase(Locale.ROOT));
            } else if (!name.equals(deviceUri)) {
                throw bad("an alternative name is neither a DNS name of the order nor the device's own");
            }
        }
        String common = request.commonName().orElse("");
        if (!common.isEmpty() && !common.equals(device.id().value())) {
            found.add(common.toLowerCase(Locale.ROOT));
        }
        if (!found.equals(wanted)) {
            throw bad("the request's names are not those of the order");
        }
        if (request.subjectAttributes() > (common.isEmpty() ? 0 : 1)) {
            throw bad("the subject has more than a common name");
        }
    }

    private static AcmeException bad(String detail) {
        return new AcmeException(AcmeProblem.BAD_CSR, detail);
    }
}
