"""What crmlab costs, against what its users would otherwise write."""
