package dev.holdfast.web;

import dev.holdfast.access.Access;
import dev.holdfast.access.OneTimeLink;
import dev.holdfast.access.RelyingParty;
import java.util.ArrayList;
import java.util.List;

/// One-time links as people see them. The secret stands behind `#`, which browsers never send to a server.
public final class Links {
    private final Access access;
    private final Identities identities;

    public Links(Access access, Identities identities) {
        this.access = access;
        this.identities = identities;
    }

    public String url(String secret) {
        return identities.origin() + "/welcome#" + secret;
    }

    public List<String> welcome() {
        List<String> lines = new ArrayList<>();
        for (OneTimeLink.Fresh fresh :
                access.linksForStart(new RelyingParty(identities.hostName(), identities.origin()))) {
            lines.add(
                    switch (fresh.link().purpose()) {
                        case FIRST_OPERATOR -> "No operator yet. Make your passkey here, within 3 days, once:";
                        case INVITATION -> "Invitation:";
                        case NEW_HOST_NAME ->
                            "Passkeys are bound to the host name, which is now " + identities.hostName()
                                    + ". A new passkey for "
                                    + Schema.shown(fresh.link().name().orElse("an operator"))
                                    + ", within 3 days, once:";
                    });
            lines.add("  " + url(fresh.secret()));
        }
        return lines;
    }
}
