package dev.holdfast.agent;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.RootSuccession;
import dev.holdfast.protocol.x509.RootSuccession.Trusted;
import java.io.IOException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/// The roots that a device trusts: those it was given, those that came after them, less those that were
/// withdrawn. Kept in one record, so that a power cut leaves the set before or the set after.
///
/// @param handed fingerprints of what the device was ever given by hand: giving it again changes nothing, so
///     that a root which was withdrawn does not come back from an old file
/// @param withdrawnKeys fingerprints of keys that were trusted once: no chain leads through them any more
record TrustedRoots(List<Trusted> roots, Set<String> handed, Set<String> withdrawnKeys) {
    private static final String NAME = "trust";
    /// The last so many: a key got here by being a root, which takes years.
    private static final int MOST_WITHDRAWN = 64;

    TrustedRoots {
        roots = List.copyOf(roots);
        handed = Set.copyOf(handed);
        withdrawnKeys = java.util.Collections.unmodifiableSet(new LinkedHashSet<>(withdrawnKeys));
    }

    /// Of a device that knows nothing yet but what it was given.
    static TrustedRoots given(Collection<X509Certificate> anchors) {
        return new TrustedRoots(
                anchors.stream().map(a -> new Trusted(a, false)).toList(),
                anchors.stream().map(Certificates::fingerprint).collect(Collectors.toSet()),
                Set.of());
    }

    /// @param anchors what the device is given today: what it was not given before is trusted too, since a
    ///     person stands beside it
    static TrustedRoots read(DeviceStore store, Collection<X509Certificate> anchors) throws IOException {
        byte[] stored = store.read(NAME);
        if (stored == null) {
            return given(anchors);
        }
        JsonNode tree = AgentJson.tree(stored);
        List<Trusted> roots = new ArrayList<>();
        for (JsonNode root : tree.path("roots")) {
            roots.add(new Trusted(
                    DeviceIdentity.certificate(root.path("certificate").binaryValue()),
                    root.path("listed").asBoolean()));
        }
        Set<String> handed = texts(tree.path("handed"));
        Set<String> withdrawn = texts(tree.path("withdrawnKeys"));
        for (X509Certificate anchor : anchors) {
            boolean isNew = handed.add(Certificates.fingerprint(anchor)) && !withdrawn.contains(key(anchor));
            if (isNew && roots.stream().noneMatch(r -> r.certificate().equals(anchor))) {
                roots.add(new Trusted(anchor, false));
            }
        }
        return new TrustedRoots(roots, handed, withdrawn);
    }

    void write(DeviceStore store) throws IOException {
        ObjectNode tree = AgentJson.object().put("v", 1);
        ArrayNode all = tree.putArray("roots");
        for (Trusted root : roots) {
            all.addObject()
                    .put("certificate", Certificates.der(root.certificate()))
                    .put("listed", root.listed());
        }
        handed.stream().sorted().forEach(tree.putArray("handed")::add);
        withdrawnKeys.forEach(tree.putArray("withdrawnKeys")::add);
        store.write(NAME, AgentJson.bytes(tree));
    }

    /// What the server listed, over a connection on which it showed this chain.
    RootSuccession.Outcome hear(List<X509Certificate> listed, List<X509Certificate> serverChain, Instant now) {
        return RootSuccession.next(
                roots, withdrawnKeys, listed, root -> ServerTrust.leads(serverChain, root, withdrawnKeys, now), now);
    }

    TrustedRoots after(RootSuccession.Outcome outcome) {
        Set<String> withdrawn = new LinkedHashSet<>(withdrawnKeys);
        for (X509Certificate root : outcome.withdrawn()) {
            boolean keyStays = outcome.trusted().stream()
                    .anyMatch(t -> key(t.certificate()).equals(key(root)));
            if (!keyStays) {
                withdrawn.add(key(root));
            }
        }
        List<String> last = List.copyOf(withdrawn);
        return new TrustedRoots(
                outcome.trusted(),
                handed,
                new LinkedHashSet<>(last.subList(Math.max(0, last.size() - MOST_WITHDRAWN), last.size())));
    }

    List<X509Certificate> certificates() {
        return roots.stream().map(Trusted::certificate).toList();
    }

    boolean has(String fingerprint) {
        return certificates().stream().map(Certificates::fingerprint).anyMatch(fingerprint::equals);
    }

    /// As a configuration report says it in `trust.roots`: SHA-256 fingerprints, the youngest first.
    String fingerprints() {
        return certificates().stream()
                .sorted(Comparator.comparing(X509Certificate::getNotBefore).reversed())
                .map(Certificates::fingerprint)
                .collect(Collectors.joining(" "));
    }

    static String key(X509Certificate certificate) {
        return Certificates.keyFingerprint(certificate.getPublicKey().getEncoded());
    }

    private static Set<String> texts(JsonNode list) {
        Set<String> texts = new LinkedHashSet<>();
        list.forEach(one -> texts.add(one.asText()));
        return texts;
    }
}
