package dev.holdfast.attestation;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.core.Actor;
import dev.holdfast.core.Environment;
import dev.holdfast.journal.Recorded;
import dev.holdfast.journal.Replayer;
import dev.holdfast.journal.Transaction;

/// After a restore: makers of TPMs whose anchor was withdrawn after the backup are not trusted.
public final class AttestationReplay implements Replayer {
    private static final String ANCHOR = "tpm-anchor:";

    @Override
    public boolean replay(Transaction tx, Recorded entry) {
        JsonNode json = entry.json();
        String subject = json.path("subject").asText();
        if (!json.path("kind").asText().equals("tpm.anchor-withdrawn") || !subject.startsWith(ANCHOR)) {
            return false;
        }
        return Endorsements.withdrawAnchor(
                tx,
                new Environment(json.path("environment").asText()),
                subject.substring(ANCHOR.length()),
                "again after a restore: " + json.path("reason").asText(),
                new Actor.Holdfast("journal"));
    }
}
