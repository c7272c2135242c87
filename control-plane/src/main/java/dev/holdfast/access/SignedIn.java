package dev.holdfast.access;

/// A session begun.
///
/// @param cookie the secret for the browser; kept here only as its hash
public record SignedIn(Principal principal, String cookie) {
    @Override
    public String toString() {
        return "signed in " + principal.id();
    }
}
