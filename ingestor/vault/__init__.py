"""The vault: raw payloads as delivered, each kept once under its sha256, with what it answers.

```text
vault.json                                  whose vault this is
payloads/ab/ab….dbn.zst                     a payload's bytes
payloads/ab/ab….<request[:16]>.json         its manifest, one for each request that it answers
requests/cd/cd….json                        the manifest again, by the key of its request
incoming/…                                  downloads and temporary files, never read as payloads
damaged/…                                   what turned out not to be what its name says
```
"""

from ingestor.vault.vault import Vault

__all__ = ["Vault"]
