package dev.holdfast.attestation;

import dev.holdfast.identity.TpmFacts.Found;
import dev.holdfast.identity.TpmFault;
import dev.holdfast.protocol.tpm.PcrValues;
import dev.holdfast.protocol.tpm.TpmCertification;
import dev.holdfast.protocol.tpm.TpmFormatException;
import dev.holdfast.protocol.tpm.TpmKeyFault;
import dev.holdfast.protocol.tpm.TpmPublic;
import dev.holdfast.protocol.tpm.TpmQuote;
import dev.holdfast.protocol.tpm.TpmSignature;
import dev.holdfast.protocol.x509.CertificationRequest;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/// What signed statements of a TPM prove, before anything is looked up. Pure.
final class QuoteCheck {
    private QuoteCheck() {}

    /// @param quote only when it is to be believed
    record Result(List<Found> faults, Optional<TpmQuote> quote, Optional<PcrValues> values) {
        Result {
            faults = List.copyOf(faults);
        }
    }

    /// 1. Structure, magic, type. 2. The attestation key's signature. 3. The nonce. 4. The values are those
    ///    digested.
    static Result quote(TpmPublic attestationKey, Submission.Quoted sent, String nonce) {
        try {
            TpmQuote quote = TpmQuote.parse(sent.quote().message());
            TpmSignature signature = TpmSignature.parse(sent.quote().signature());
            PcrValues values = PcrValues.parse(quote.selections(), sent.values());
            List<Found> faults = new ArrayList<>();
            if (!signature.verifies(attestationKey, sent.quote().message())) {
                faults.add(new Found(TpmFault.SIGNATURE_WRONG, "the quote is not signed by the attestation key"));
            } else if (!quote.statement().extraData().equals(nonce)) {
                faults.add(new Found(TpmFault.NONCE_STALE, "the quote was made for another nonce"));
            } else if (!values.digest(signature.scheme().hash()).equals(quote.pcrDigest())) {
                faults.add(new Found(TpmFault.PCR_VALUES_WRONG, "the values sent are not those that were quoted"));
            }
            return faults.isEmpty()
                    ? new Result(faults, Optional.of(quote), Optional.of(values))
                    : new Result(faults, Optional.empty(), Optional.empty());
        } catch (TpmFormatException e) {
            return new Result(List.of(found("quote", e)), Optional.empty(), Optional.empty());
        }
    }

    /// 1. Structures. 2. The attestation key's signature over the certification. 3. The name in it is that
    ///    of the key sent. 4. That key is the request's. 5. It can't leave its TPM and was made there.
    static List<Found> certification(
            TpmPublic attestationKey, Submission.Signed sent, byte[] key, CertificationRequest request) {
        try {
            TpmCertification certification = TpmCertification.parse(sent.message());
            TpmSignature signature = TpmSignature.parse(sent.signature());
            TpmPublic certified = TpmPublic.parseSized(key);
            if (!signature.verifies(attestationKey, sent.message())) {
                return one(TpmFault.SIGNATURE_WRONG, "the certification is not signed by the attestation key");
            }
            if (!certification.name().equals(certified.name())) {
                return one(TpmFault.KEY_NOT_CERTIFIED, "the name that was certified is not that of the key sent");
            }
            if (!Arrays.equals(
                    request.publicKeyInfo().getEncoded(), certified.key().getEncoded())) {
                return one(TpmFault.KEY_NOT_CERTIFIED, "the key that was certified is not the request's");
            }
            Set<TpmKeyFault> faults = TpmKeyFault.ofDeviceKey(certified);
            return faults.isEmpty() ? List.of() : one(TpmFault.KEY_NOT_BOUND_TO_THE_TPM, "it is " + text(faults));
        } catch (TpmFormatException e) {
            return List.of(found("certification", e));
        } catch (IOException e) {
            return one(TpmFault.STRUCTURE_MALFORMED, "the request's key can't be encoded");
        }
    }

    static Optional<Found> attestationKey(TpmPublic key) {
        return fault(TpmFault.ATTESTATION_KEY_NOT_ACCEPTED, TpmKeyFault.ofAttestationKey(key));
    }

    static Optional<Found> endorsementKey(TpmPublic key) {
        return fault(TpmFault.ENDORSEMENT_KEY_NOT_ACCEPTED, TpmKeyFault.ofEndorsementKey(key));
    }

    private static Optional<Found> fault(TpmFault fault, Set<TpmKeyFault> faults) {
        return faults.isEmpty() ? Optional.empty() : Optional.of(new Found(fault, "it is " + text(faults)));
    }

    private static String text(Set<TpmKeyFault> faults) {
        return faults.stream().map(TpmKeyFault::text).collect(Collectors.joining(", "));
    }

    private static List<Found> one(TpmFault fault, String detail) {
        return List.of(new Found(fault, detail));
    }

    private static Found found(String what, TpmFormatException e) {
        TpmFault fault = switch (e.reason()) {
            case MALFORMED, NOT_SUPPORTED -> TpmFault.STRUCTURE_MALFORMED;
            case WRONG_MAGIC -> TpmFault.MAGIC_WRONG;
            case WRONG_TYPE -> TpmFault.TYPE_WRONG;
        };
        return new Found(fault, what + ": " + e.getMessage());
    }
}
