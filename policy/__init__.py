"""What may not be built: a policy pack for the Pulumi engine. It needs none of Teal's other rooms."""
