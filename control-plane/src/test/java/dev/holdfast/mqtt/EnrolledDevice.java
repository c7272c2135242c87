package dev.holdfast.mqtt;

import dev.holdfast.TestServer;
import dev.holdfast.ca.ApprovedRequest;
import dev.holdfast.ca.Ca;
import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Serial;
import dev.holdfast.inventory.Lifecycle;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.CertificationRequest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.util.Base64;
import java.util.List;
import java.util.Optional;

/// A device with an operational certificate, and its key and chain in PEM files for real clients.
public final class EnrolledDevice {
    private final DeviceRef ref;
    private final KeyPair key;
    private final List<X509Certificate> chain;
    private final Path certificate;
    private final Path keyFile;

    private EnrolledDevice(DeviceRef ref, KeyPair key, List<X509Certificate> chain, Path folder) {
        this.ref = ref;
        this.key = key;
        this.chain = chain;
        String name =
                ref.id().value() + "-" + chain.getFirst().getSerialNumber().toString(16);
        this.certificate = folder.resolve(name + ".crt");
        this.keyFile = folder.resolve(name + ".key");
        try {
            StringBuilder pem = new StringBuilder();
            for (X509Certificate one : chain) {
                pem.append(Certificates.pem(one));
            }
            Files.writeString(certificate, pem);
            Files.writeString(
                    keyFile,
                    "-----BEGIN PRIVATE KEY-----\n"
                            + Base64.getMimeEncoder(64, new byte[] {'\n'})
                                    .encodeToString(key.getPrivate().getEncoded())
                            + "\n-----END PRIVATE KEY-----\n");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Registers the device if needed, and issues it a certificate, as enrolment does after policy has granted
    /// it.
    public static EnrolledDevice of(TestServer server, String id) {
        DeviceRef ref = server.register(id);
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"));
            KeyPair key = generator.generateKeyPair();
            Ca ca = server.server().ca();
            ApprovedRequest request = new ApprovedRequest(
                    ref.environment(),
                    Optional.of(ref),
                    id,
                    List.of("URI:urn:holdfast:" + ref.environment() + ":device:" + id),
                    CertificationRequest.verify(CertificationRequest.create(id, key))
                            .publicKeyInfo(),
                    ca.profiles().find(ref.environment(), "device").orElseThrow(),
                    "token");
            Actor actor = TestServer.TESTER;
            X509Certificate signed = server.server().journal().commit(tx -> {
                server.server()
                        .inventory()
                        .transition(tx, ref, Lifecycle.ENROLLED, "a certificate was issued", Optional.empty(), actor);
                return ca.issuance().issue(tx, ca.issuance().plan(tx, request), actor);
            });
            X509Certificate issuer =
                    ca.authorities().devices(ref.environment()).orElseThrow().certificate();
            EnrolledDevice device = new EnrolledDevice(ref, key, List.of(signed, issuer), server.folder());
            TestServer.await(
                    "its certificate is known",
                    () -> server.server().identity().owner(device.serial()).isPresent());
            TestServer.await(
                    "it is known",
                    () -> server.server()
                            .inventory()
                            .directory()
                            .find(ref)
                            .filter(s -> s.state() != Lifecycle.REGISTERED)
                            .isPresent());
            return device;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        } catch (dev.holdfast.protocol.x509.CertificationRequestException e) {
            throw new IllegalStateException(e);
        }
    }

    public DeviceRef ref() {
        return ref;
    }

    public KeyPair key() {
        return key;
    }

    public List<X509Certificate> chain() {
        return chain;
    }

    public Serial serial() {
        return Serial.of(chain.getFirst().getSerialNumber());
    }

    /// Leaf first.
    public Path certificateFile() {
        return certificate;
    }

    public Path keyFile() {
        return keyFile;
    }
}
