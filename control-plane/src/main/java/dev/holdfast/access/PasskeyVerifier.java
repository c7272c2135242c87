package dev.holdfast.access;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.webauthn4j.WebAuthnManager;
import com.webauthn4j.converter.AttestedCredentialDataConverter;
import com.webauthn4j.converter.exception.DataConversionException;
import com.webauthn4j.converter.util.ObjectConverter;
import com.webauthn4j.credential.CredentialRecordImpl;
import com.webauthn4j.data.AuthenticationData;
import com.webauthn4j.data.AuthenticationParameters;
import com.webauthn4j.data.PublicKeyCredentialParameters;
import com.webauthn4j.data.PublicKeyCredentialType;
import com.webauthn4j.data.RegistrationData;
import com.webauthn4j.data.RegistrationParameters;
import com.webauthn4j.data.attestation.authenticator.AttestedCredentialData;
import com.webauthn4j.data.attestation.statement.COSEAlgorithmIdentifier;
import com.webauthn4j.data.attestation.statement.NoneAttestationStatement;
import com.webauthn4j.data.client.Origin;
import com.webauthn4j.data.client.challenge.DefaultChallenge;
import com.webauthn4j.data.extension.authenticator.AuthenticationExtensionsAuthenticatorOutputs;
import com.webauthn4j.server.ServerProperty;
import com.webauthn4j.util.exception.WebAuthnException;
import dev.holdfast.core.Json;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Objects;

/// The ceremonies of WebAuthn level 2, sections 7.1 (registration) and 7.2 (authentication).
///
/// User verification is required, because the passkey is the only factor; credentials are discoverable, so that
/// nobody types a name; attestation is not asked for.
final class PasskeyVerifier {
    private static final List<PublicKeyCredentialParameters> ALGORITHMS = List.of(
            new PublicKeyCredentialParameters(PublicKeyCredentialType.PUBLIC_KEY, COSEAlgorithmIdentifier.ES256),
            new PublicKeyCredentialParameters(PublicKeyCredentialType.PUBLIC_KEY, COSEAlgorithmIdentifier.EdDSA),
            new PublicKeyCredentialParameters(PublicKeyCredentialType.PUBLIC_KEY, COSEAlgorithmIdentifier.RS256));
    private static final Base64.Encoder BASE64URL = Base64.getUrlEncoder().withoutPadding();

    private final ObjectConverter converter = new ObjectConverter();
    private final WebAuthnManager webauthn = WebAuthnManager.createNonStrictWebAuthnManager(converter);
    private final AttestedCredentialDataConverter credentials = new AttestedCredentialDataConverter(converter);

    /// A credential that was verified at registration.
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Registered(String id, byte[] credential, long counter) {}

    static ObjectNode creationOptions(
            RelyingParty party, byte[] challenge, String account, String name, List<String> existing) {
        ObjectNode options = Json.mapper().createObjectNode();
        options.putObject("rp").put("id", party.id()).put("name", "Holdfast");
        options.putObject("user")
                .put("id", BASE64URL.encodeToString(account.getBytes(StandardCharsets.UTF_8)))
                .put("name", name)
                .put("displayName", name);
        options.put("challenge", BASE64URL.encodeToString(challenge));
        ArrayNode algorithms = options.putArray("pubKeyCredParams");
        ALGORITHMS.forEach(a -> algorithms
                .addObject()
                .put("type", "public-key")
                .put("alg", a.getAlg().getValue()));
        options.put("timeout", Challenges.LIFETIME.toMillis());
        ArrayNode exclude = options.putArray("excludeCredentials");
        existing.forEach(id -> exclude.addObject().put("type", "public-key").put("id", id));
        options.putObject("authenticatorSelection")
                .put("residentKey", "required")
                .put("requireResidentKey", true)
                .put("userVerification", "required");
        options.put("attestation", "none");
        return options;
    }

    static ObjectNode requestOptions(RelyingParty party, byte[] challenge) {
        ObjectNode options = Json.mapper().createObjectNode();
        options.put("challenge", BASE64URL.encodeToString(challenge));
        options.put("timeout", Challenges.LIFETIME.toMillis());
        options.put("rpId", party.id());
        options.put("userVerification", "required");
        options.putArray("allowCredentials");
        return options;
    }

    /// @throws AccessRefused when the credential is malformed or any step of section 7.1 fails
    Registered register(RelyingParty party, byte[] challenge, String json) throws AccessRefused {
        try {
            RegistrationData data = webauthn.verifyRegistrationResponseJSON(
                    json, new RegistrationParameters(property(party, challenge), ALGORITHMS, true, true));
            var authenticator =
                    Objects.requireNonNull(data.getAttestationObject()).getAuthenticatorData();
            AttestedCredentialData credential = Objects.requireNonNull(authenticator.getAttestedCredentialData());
            return new Registered(
                    BASE64URL.encodeToString(credential.getCredentialId()),
                    credentials.convert(credential),
                    authenticator.getSignCount());
        } catch (WebAuthnException | NullPointerException | IllegalArgumentException e) {
            throw notVerified(e);
        }
    }

    /// The id of the credential that claims to sign in, nothing of it verified yet.
    String credentialId(String json) throws AccessRefused {
        try {
            return BASE64URL.encodeToString(Objects.requireNonNull(
                    webauthn.parseAuthenticationResponseJSON(json).getCredentialId()));
        } catch (DataConversionException | NullPointerException | IllegalArgumentException e) {
            throw notVerified(e);
        }
    }

    /// @return the signature counter the authenticator now has
    /// @throws AccessRefused when any step of section 7.2 fails
    long authenticate(RelyingParty party, byte[] challenge, String json, AccessStore.StoredPasskey stored)
            throws AccessRefused {
        try {
            CredentialRecordImpl credential = new CredentialRecordImpl(
                    new NoneAttestationStatement(),
                    null,
                    null,
                    null,
                    stored.counter(),
                    credentials.convert(stored.credential()),
                    new AuthenticationExtensionsAuthenticatorOutputs<>(),
                    null,
                    null,
                    null);
            AuthenticationData data = webauthn.verifyAuthenticationResponseJSON(
                    json, new AuthenticationParameters(property(party, challenge), credential, null, true, true));
            byte[] handle = data.getUserHandle();
            if (handle != null && !stored.account().equals(new String(handle, StandardCharsets.UTF_8))) {
                throw new AccessRefused(AccessRefused.Reason.PASSKEY_NOT_VERIFIED, "the passkey names another account");
            }
            return Objects.requireNonNull(data.getAuthenticatorData()).getSignCount();
        } catch (WebAuthnException | NullPointerException | IllegalArgumentException e) {
            throw notVerified(e);
        }
    }

    private static ServerProperty property(RelyingParty party, byte[] challenge) {
        return new ServerProperty(new Origin(party.origin()), party.id(), new DefaultChallenge(challenge));
    }

    private static AccessRefused notVerified(RuntimeException cause) {
        return new AccessRefused(
                AccessRefused.Reason.PASSKEY_NOT_VERIFIED,
                "the passkey's answer could not be verified ("
                        + cause.getClass().getSimpleName() + ")");
    }
}
