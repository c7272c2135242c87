package dev.holdfast.ca;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Which list of revoked certificates is meant, as it stands in URLs: `device-production-1.crl` is
/// everything that the authority has issued, `device-production-1.7.crl` part 7 of it, and with `.delta.crl`
/// at the end each is the delta.
///
/// @param part 0 for everything
public record ListName(String authority, long part, boolean delta) {
    private static final Pattern FILE =
            Pattern.compile("([a-z0-9][a-z0-9-]{0,63})(?:\\.([1-9][0-9]{0,17}))?(\\.delta)?\\.crl");

    public ListName {
        if (part < 0) {
            throw new IllegalArgumentException("a part is not negative");
        }
    }

    public static Optional<ListName> parse(String file) {
        Matcher found = FILE.matcher(file);
        if (!found.matches()) {
            return Optional.empty();
        }
        return Optional.of(new ListName(
                found.group(1), found.group(2) == null ? 0 : Long.parseLong(found.group(2)), found.group(3) != null));
    }

    public String file() {
        return authority + (part == 0 ? "" : "." + part) + (delta ? ".delta" : "") + ".crl";
    }

    /// Below what URLs in certificates begin with.
    public String url(String base) {
        return base + "/crl/" + file();
    }

    /// The delta to this list.
    public ListName toDelta() {
        return new ListName(authority, part, true);
    }

    /// The complete list of the same scope.
    public ListName toComplete() {
        return new ListName(authority, part, false);
    }
}
