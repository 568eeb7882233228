"""Endemic-epidemic models: counts that feed on earlier ones of the region and its neighbours, over an endemic base."""
