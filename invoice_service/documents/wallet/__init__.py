"""An invoice as a credential for wallets: an eReceipt as SD-JWT VC, made, read and checked."""
