package dev.holdfast.gateway;

import java.io.IOException;

/// Something that stops traffic: the relay, or the kernel's packet filter.
@FunctionalInterface
public interface Enforcer {
    /// Puts the duty in force; when this returns, it is.
    void enforce(Duty duty) throws IOException;
}
