//! The GPU operator's toolkit, which both the engine's settings and the cluster's proofs know of.

use plinth_site::Desired;

/// The component whose toolkit puts NVIDIA's runtime into containerd's settings.
pub(crate) const GPU_OPERATOR: &str = "gpu-operator";

/// Whether the GPU operator, and so its toolkit, is part of the site.
pub(crate) fn wants_toolkit(desired: &Desired) -> bool {
    desired.platform.components.get(GPU_OPERATOR).and_then(|choice| choice.enabled) != Some(false)
}
