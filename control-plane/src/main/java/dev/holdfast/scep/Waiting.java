package dev.holdfast.scep;

import dev.holdfast.core.DeviceId;
import dev.holdfast.core.Environment;
import dev.holdfast.database.Database;
import dev.holdfast.identity.Applicant;
import dev.holdfast.identity.Credential;
import dev.holdfast.profiles.CertificateProfile;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.CertificationRequest;
import dev.holdfast.protocol.x509.CertificationRequestException;
import dev.holdfast.protocol.x509.X509FormatException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.Base64;
import java.util.Optional;
import javax.crypto.Cipher;
import javax.crypto.Mac;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/// Requests that a person has to decide about, so that a poll (CertPoll) can ask again, on whichever node and
/// after a restart. The one-time secret that one came with is sealed: AES-256-GCM under a key derived from the
/// installation's secret, which is not in the database, for the one key and transaction that it belongs to.
///
/// Who can't be found here sends the whole request again (RFC 8894 section 4.4).
final class Waiting {
    private static final Duration KEPT = Duration.ofDays(14);
    private static final int NONCE_OCTETS = 12;
    private static final int TAG_BITS = 128;

    private final Database database;
    private final Environment environment;
    private final SecretKeySpec seal;
    private final SecureRandom random;
    private final InstantSource clock;

    /// @param request what was asked for
    record Asked(CertificationRequest request, Applicant applicant) {}

    /// @param installation 32 octets, the same on every node
    Waiting(Database database, Environment environment, byte[] installation, SecureRandom random, InstantSource clock) {
        this.database = database;
        this.environment = environment;
        this.seal = derived(installation);
        this.random = random;
        this.clock = clock;
    }

    private static SecretKeySpec derived(byte[] installation) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(installation, "HmacSHA256"));
            return new SecretKeySpec(
                    mac.doFinal("holdfast scep waiting v1".getBytes(StandardCharsets.US_ASCII)), "AES");
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("HMAC is missing from this Java platform", e);
        }
    }

    private WaitingStore.Of whose(String transaction, String key) {
        return new WaitingStore.Of(environment, key, transaction);
    }

    /// @param der of the request
    /// @param key fingerprint of the key that signed the message: only its holder may poll
    void put(String transaction, String key, byte[] der, Applicant applicant) {
        WaitingStore.Of whose = whose(transaction, key);
        Instant now = clock.instant();
        Optional<WaitingStore.Row> row = row(whose, der, applicant);
        database.run(sql -> {
            WaitingStore.forget(sql, now);
            row.ifPresent(one -> WaitingStore.put(sql, whose, one, now.plus(KEPT)));
        });
    }

    /// By the two credentials that SCEP has; there are no others here.
    private Optional<WaitingStore.Row> row(WaitingStore.Of whose, byte[] der, Applicant applicant) {
        return switch (applicant.credential()) {
            case Credential.Token token ->
                Optional.of(new WaitingStore.Row(
                        der,
                        applicant.profile(),
                        Optional.of(token.device().value()),
                        Optional.of(seal(token.secret(), whose)),
                        Optional.empty(),
                        applicant.remoteAddress()));
            case Credential.Operational operational ->
                Optional.of(new WaitingStore.Row(
                        der,
                        applicant.profile(),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.of(Certificates.der(operational.leaf())),
                        applicant.remoteAddress()));
            case Credential.SharedSecret _,
                    Credential.Account _,
                    Credential.Tpm _,
                    Credential.Manufacturer _,
                    Credential.Claim _ -> Optional.empty();
        };
    }

    Optional<Asked> find(String transaction, String key) {
        WaitingStore.Of whose = whose(transaction, key);
        Optional<WaitingStore.Row> found = database.read(sql -> WaitingStore.find(sql, whose, clock.instant()));
        if (found.isEmpty()) {
            return Optional.empty();
        }
        WaitingStore.Row row = found.get();
        try {
            CertificationRequest request = CertificationRequest.verify(row.request());
            return credential(whose, row)
                    .map(credential -> new Asked(
                            request,
                            new Applicant(
                                    row.profile(),
                                    credential,
                                    false,
                                    CertificateProfile.Attestation.NONE,
                                    "SCEP",
                                    row.remote())));
        } catch (CertificationRequestException | X509FormatException e) {
            throw new IllegalStateException("a stored request can't be read", e);
        }
    }

    private Optional<Credential> credential(WaitingStore.Of whose, WaitingStore.Row row) throws X509FormatException {
        if (row.signer().isPresent()) {
            return Optional.of(
                    new Credential.Operational(Certificates.parse(row.signer().get())));
        }
        return row.secret()
                .flatMap(kept -> opened(kept, whose))
                .map(secret -> new Credential.Token(new DeviceId(row.device().orElseThrow()), secret));
    }

    void remove(String transaction, String key) {
        database.run(sql -> WaitingStore.remove(sql, whose(transaction, key)));
    }

    private String seal(String secret, WaitingStore.Of whose) {
        byte[] nonce = new byte[NONCE_OCTETS];
        random.nextBytes(nonce);
        try {
            byte[] closed = cipher(Cipher.ENCRYPT_MODE, nonce, whose).doFinal(secret.getBytes(StandardCharsets.UTF_8));
            byte[] whole = Arrays.copyOf(nonce, nonce.length + closed.length);
            System.arraycopy(closed, 0, whole, nonce.length, closed.length);
            return Base64.getEncoder().encodeToString(whole);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("AES-GCM is not available", e);
        }
    }

    /// Empty when it was sealed by another installation, or for another request: the device asks anew then.
    private Optional<String> opened(String sealed, WaitingStore.Of whose) {
        byte[] whole = Base64.getDecoder().decode(sealed);
        try {
            return Optional.of(new String(
                    cipher(Cipher.DECRYPT_MODE, Arrays.copyOf(whole, NONCE_OCTETS), whose)
                            .doFinal(whole, NONCE_OCTETS, whole.length - NONCE_OCTETS),
                    StandardCharsets.UTF_8));
        } catch (GeneralSecurityException e) {
            return Optional.empty();
        }
    }

    private Cipher cipher(int mode, byte[] nonce, WaitingStore.Of whose) throws GeneralSecurityException {
        Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
        cipher.init(mode, seal, new GCMParameterSpec(TAG_BITS, nonce));
        cipher.updateAAD(
                (whose.environment() + " " + whose.key() + " " + whose.transaction()).getBytes(StandardCharsets.UTF_8));
        return cipher;
    }
}
